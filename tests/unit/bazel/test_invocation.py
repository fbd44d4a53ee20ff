import os
import subprocess
from pathlib import Path

from tensorflow_macos_build.bazel import BuildFiles, Invocation


def test_the_command_line_is_pinned() -> None:
    invocation = Invocation(
        workspace=Path("/src"),
        output_base=Path("/b/base"),
        files=BuildFiles.at(Path("/b/arm64")),
        targets=("//tensorflow/tools/pip_package:wheel",),
        flags=("--config=opt", "--jobs=2"),
        startup=("--host_jvm_args=-Xmx4g",),
    )
    assert invocation.argv() == [
        "bazel",
        "--nohome_rc",
        "--output_user_root=/b/base.user",
        "--output_base=/b/base",
        "--max_idle_secs=60",
        "--host_jvm_args=-Xmx4g",
        "build",
        "--color=no",
        "--curses=no",
        "--show_progress_rate_limit=0.5",
        "--nosandbox_debug",
        "--build_event_json_file=/b/arm64.events.json",
        "--nobuild_event_json_file_path_conversion",
        "--profile=/b/arm64.profile.gz",
        "--explain=/b/arm64.explanation.txt",
        "--config=opt",
        "--jobs=2",
        "--",
        "//tensorflow/tools/pip_package:wheel",
    ]


def test_a_command_line_can_be_pasted_into_any_shell(tmp_path: Path) -> None:
    folder = tmp_path / "it's"
    folder.mkdir()
    invocation = Invocation(
        workspace=folder,
        output_base=Path("/b"),
        files=BuildFiles.at(Path("/e")),
        targets=("//a:b c",),
        env={"A": "1 2", "TO_GO": None},
        program="/bin/echo",
    )
    typed = invocation.command().typed()
    assert _printed(typed) == f"{' '.join(invocation.argv()[1:])}\n"
    shell = typed.replace("/bin/echo", "sh -c 'pwd; echo $A ${TO_GO-gone} $TZ' echo")
    assert _printed(shell, TO_GO="x") == f"{folder}\n1 2 gone UTC\n"


def _printed(line: str, **env: str) -> str:
    shell = ["sh", "-c", line]
    done = subprocess.run(shell, check=True, capture_output=True, text=True, env=os.environ | env)
    return done.stdout
