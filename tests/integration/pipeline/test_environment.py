"""What someone has exported decides nothing: a build gets the config's variables and few others."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

from tests.projects import QUICK_SERVERS, ROOT, Project

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

PATHS = (
    *("CC", "CXX", "LD", "AR", "CPATH", "C_INCLUDE_PATH", "LIBRARY_PATH", "SDKROOT"),
    *("BAZEL_SH", "JAVA_HOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "RUNFILES_DIR"),
    *("PYTHON_BIN_PATH", "PYTHON_LIB_PATH", "ZIG_BIN_PATH", "CLANG_CUDA_COMPILER_PATH"),
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"),
)
FLAGS = ("CFLAGS", "CPPFLAGS", "CXXFLAGS", "LDFLAGS", "CC_OPT_FLAGS", "BAZEL_COPTS")


def poison(folder: Path) -> dict[str, str]:
    """Return variables of which each would spoil a build.

    Those that Python and bash obey leave the folder of each that they have reached in
    `folder/trace`.
    """
    trace = folder / "trace"
    (folder / "sitecustomize.py").write_text(
        f"import os\nwith open({str(trace)!r}, 'a') as file: print(os.getcwd(), file=file)\n"
    )
    (folder / "env.sh").write_text(f"pwd >> {trace}\n")
    return {
        **dict.fromkeys(PATHS, str(folder / "nowhere")),
        **dict.fromkeys(FLAGS, "-Dint=poison"),
        "BASH_ENV": str(folder / "env.sh"),
        "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}",
        "PYTHONOPTIMIZE": "2",
        "TF_NEED_CUDA": "1",
        "TF_ENABLE_XLA": "0",
        "TF_PYTHON_VERSION": "2.7",
        "HERMETIC_PYTHON_VERSION": "2.7",
        "WHEEL_NAME": "poison",
        "MACOSX_DEPLOYMENT_TARGET": "99.0",
        "SOURCE_DATE_EPOCH": "1",
        "USE_BAZEL_VERSION": "0.0.1",
        "TZ": "Pacific/Kiritimati",
        "LC_ALL": "C",
    }


def host_wheel(folder: Path, env: Mapping[str, str]) -> tuple[str, Any]:
    """Build the miniature for this machine; return its wheel's SHA-256, and its stages' keys."""
    project = Project(folder)
    ended = subprocess.run(
        project.argv("--arch", "host", "--json"),
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    stages = json.loads(ended.stdout)["stages"]
    wheel = folder / stages[-1]["result"]["wheel"]["path"]
    return hashlib.sha256(wheel.read_bytes()).hexdigest(), [row["key"] for row in stages]


def test_a_poisoned_environment_gives_the_same_wheel_and_keys_as_an_empty_one(
    tmp_path: Path, tool: Callable[[str], Path]
) -> None:
    tool("bazel")
    (tmp_path / "poison").mkdir()
    poisoned = poison(tmp_path / "poison")
    bare = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    bare |= QUICK_SERVERS
    expected = host_wheel(tmp_path / "bare", bare)
    assert host_wheel(tmp_path / "poisoned", {**bare, **poisoned}) == expected
    reached = (tmp_path / "poison/trace").read_text().splitlines()
    # Only the tool itself, and a Bazel that is asked for its version.
    assert set(reached) == {str(tmp_path / "poisoned"), "/"}
