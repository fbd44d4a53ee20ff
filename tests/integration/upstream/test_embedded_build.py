"""The embedded upstream as Bazel builds it, offline, for three systems; judged by others' tools."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from email.parser import BytesParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.tags import sys_tags
from packaging.utils import parse_wheel_filename

from tensorflow_macos_build.git.repository import Git
from tests.fork import DEMO, Fork, names
from tests.miniature import Miniature

if TYPE_CHECKING:
    from collections.abc import Callable

ARCHITECTURES = ("arm64", "x86_64", "host")
RELEASES = ("v2.16.0", "v2.17.0")
MINIMUM = {"arm64": "12.0", "x86_64": "10.15"}

FRAMEWORK = "tensorflow/libtensorflow_framework.2.dylib"
MODULES = (
    "tensorflow/python/_pywrap_tensorflow_internal.so",
    "tensorflow/python/_pywrap_util_port.so",
)
ARCH_CONFIG = "tensorflow/include/tensorflow/core/platform/arch_config.h"

TRAIN = """\
import json
import tensorflow as tf
from tensorflow.python.eager import context

model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
model.compile(optimizer=tf.keras.optimizers.SGD(0.1), loss="mse")
history = model.fit([[0.0], [1.0], [2.0]], [[1.0], [3.0], [5.0]], epochs=50)
steps = context.step_stats()
product = tf.matmul([[1.0, 2.0], [3.0, 4.0]], [[5.0], [6.0]])
turned = tf.matmul([[1.0, 2.0], [3.0, 4.0]], [[5.0], [6.0]], transpose_a=True)
try:
    tf.matmul([[1.0]], [[1.0], [2.0]])
    refused = ""
except ValueError as error:
    refused = str(error)
print(json.dumps({
    "version": tf.__version__,
    "devices": [device.device_type for device in tf.config.list_physical_devices()],
    "gpus": tf.config.list_physical_devices("GPU"),
    "loss": history.history["loss"],
    "product": product.numpy(),
    "turned": turned.numpy(),
    "device": product.device,
    "ran": sorted({(step.op, step.device) for step in steps}),
    "refused": refused,
}))
"""

TRIED_MLC = """\
import json
import tensorflow as tf
from tensorflow.python.compiler.mlcompute import mlcompute

mlcompute.set_mlc_device(device_name="any")
try:
    mlcompute.set_mlc_device(device_name="gpu")
    gpu = True
except RuntimeError:
    gpu = False
print(json.dumps({
    "enabled": mlcompute.is_apple_mlc_enabled(),
    "compiled": mlcompute.is_tf_compiled_with_apple_mlc(),
    "gpu": gpu,
    "matmul": tf.matmul([[1.0, 2.0]], [[3.0], [4.0]]).device,
    "value": tf.matmul([[1.0, 2.0]], [[3.0], [4.0]]).numpy(),
    "add": tf.add([1.0], [2.0]).device,
}))
"""

CPU = "/job:localhost/replica:0/task:0/device:CPU:0"
MLC = "/job:localhost/replica:0/task:0/device:MLC:0"


def _members(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _otool(llvm_otool: Path, *args: str | Path) -> str:
    return subprocess.run([llvm_otool, *args], check=True, capture_output=True, text=True).stdout


def _python(site: Path, code: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run code with a wheel's packages, away from the sources."""
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=site,
        env={**os.environ, "PYTHONPATH": str(site), **env},
        check=True,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("release", RELEASES)
def test_a_wheel_is_named_and_tagged_for_where_it_runs(
    miniature: Miniature, release: str, architecture: str, tmp_path: Path
) -> None:
    wheel = miniature.wheel(release, architecture)
    name, version, build, tags = parse_wheel_filename(wheel.name)
    (tag,) = tags
    assert (name, f"v{version}", build) == ("tensorflow", release, ())
    assert tag.interpreter == tag.abi == f"cp{sys.version_info.major}{sys.version_info.minor}"
    if architecture == "host":
        assert tag.platform in {supported.platform for supported in sys_tags()} | {"linux_x86_64"}
    else:
        assert tag.platform == f"macosx_{MINIMUM[architecture].replace('.', '_')}_{architecture}"
    info = BytesParser().parsebytes(_members(wheel)[f"tensorflow-{version}.dist-info/WHEEL"])
    assert info.get_all("Tag") == [str(tag)]
    unpack = [sys.executable, "-m", "wheel", "unpack", "--dest", str(tmp_path), str(wheel)]
    subprocess.run(unpack, check=True, capture_output=True)  # it checks every hash of RECORD


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
@pytest.mark.parametrize("release", RELEASES)
def test_libraries_are_genuine_and_bind_by_rpath(
    miniature: Miniature,
    tmp_path: Path,
    *,
    llvm_otool: Path,
    llvm_lipo: Path,
    release: str,
    architecture: str,
) -> None:
    members = _members(miniature.wheel(release, architecture))
    for name in (FRAMEWORK, *MODULES):
        library = tmp_path / Path(name).name
        library.write_bytes(members[name])
        archs = subprocess.run([llvm_lipo, "-archs", library], check=True, capture_output=True)
        assert archs.stdout.decode().split() == [architecture]
        commands = _otool(llvm_otool, "-l", library)
        assert re.findall(r"^ *minos (\S+)$", commands, re.M) == [MINIMUM[architecture]]
        assert ("LC_CODE_SIGNATURE" in commands) == (architecture == "arm64")
        assert f"name @rpath/{library.name} " in commands
        bound = f"name @rpath/{Path(FRAMEWORK).name} " in commands
        assert bound, name
        if name in MODULES:
            assert re.findall(r"^ *path (\S+) ", commands, re.M) == ["@loader_path/.."]


def test_the_two_halves_differ_where_tensorflow_s_do_and_nowhere_else(
    miniature: Miniature,
) -> None:
    arm = _members(miniature.wheel("v2.17.0", "arm64"))
    intel = _members(miniature.wheel("v2.17.0", "x86_64"))
    info = "tensorflow-2.17.0.dist-info"
    different = {name for name in arm.keys() & intel.keys() if arm[name] != intel[name]}
    assert different == {FRAMEWORK, *MODULES, ARCH_CONFIG, f"{info}/WHEEL", f"{info}/RECORD"}
    assert arm.keys() - intel.keys() == set()
    one_sided = intel.keys() - arm.keys()
    assert one_sided
    assert all(name.startswith("tensorflow/include/external/onednn/") for name in one_sided)


def test_both_forms_of_packaging_give_one_wheel(miniature: Miniature, tmp_path: Path) -> None:
    by_target = miniature.wheel("v2.17.0", "host")
    by_script = miniature.by_script("v2.17.0", "host", tmp_path / "a folder")
    assert by_script.name == by_target.name
    assert by_script.read_bytes() == by_target.read_bytes()


def test_host_tools_are_built_once_and_nothing_is_fetched(miniature: Miniature) -> None:
    for architecture in ARCHITECTURES:
        miniature.wheel("v2.17.0", architecture)
    places = miniature.output_base.glob("execroot/*/bazel-out/*/bin/tensorflow/tools/op_gen/op_gen")
    assert len({workspace.resolve() for workspace in places}) == 1
    fetched = {path.name for path in (miniature.output_base / "external").glob("rules_*")}
    assert fetched == set()


def test_folder_time_zone_and_umask_change_no_byte(
    miniature: Miniature, tmp_path: Path, tool: Callable[[str], Path]
) -> None:
    """Law 7: the same inputs give the same bytes."""
    odd = {"TZ": "Pacific/Chatham", "LC_ALL": "C", "PYTHONHASHSEED": "7", "HOME": str(tmp_path)}
    other = Miniature(miniature.git, tool("bazel"), tmp_path / "another-place", odd, umask=0o077)
    try:
        for architecture in ARCHITECTURES:
            first = miniature.wheel("v2.17.0", architecture)
            second = other.wheel("v2.17.0", architecture)
            assert _digest(second) == _digest(first), architecture
    finally:
        other.shut_down()


def _digest(wheel: Path) -> tuple[str, str]:
    return wheel.name, hashlib.sha256(wheel.read_bytes()).hexdigest()


@pytest.mark.parametrize("release", RELEASES)
def test_the_host_s_wheel_installs_in_a_fresh_environment_and_trains(
    miniature: Miniature, tmp_path: Path, release: str
) -> None:
    wheel = miniature.wheel(release, "host")
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    pip = [sys.executable, "-m", "pip", "--python", str(venv), "install", "--quiet", "--no-index"]
    subprocess.run([*pip, str(wheel)], check=True)
    python = [str(venv / "bin/python"), "-I", "-c", TRAIN]
    ran = subprocess.run(python, cwd=tmp_path, check=True, capture_output=True, text=True)
    trained = json.loads(ran.stdout)
    assert trained["version"] == release.removeprefix("v")
    assert trained["loss"][-1] < trained["loss"][0] / 1000
    assert (trained["product"], trained["turned"]) == ([[17.0], [39.0]], [[23.0], [34.0]])
    assert (trained["devices"], trained["gpus"], trained["device"]) == (["CPU"], [], CPU)
    assert ["MatMul", CPU] in trained["ran"]
    assert ["ApplyGradientDescent", CPU] in trained["ran"]
    assert "shapes" in trained["refused"]
    build_info = subprocess.run(
        [venv / "bin/tf_build_info"], check=True, capture_output=True, text=True
    )
    assert build_info.stdout.startswith(f"TensorFlow {release.removeprefix('v')}\n")


def test_the_demo_queue_builds_on_the_next_release_and_computes_on_its_device(
    miniature: Miniature, tmp_path: Path
) -> None:
    fork = Fork(miniature.git, tmp_path / "fork", [DEMO / name for name in names(DEMO)])
    patched = dataclasses.replace(miniature, git=Git(fork.folder / ".git"))
    site = tmp_path / "site"
    with zipfile.ZipFile(patched.wheel(fork.onto("v2.17.0"), "host")) as archive:
        archive.extractall(site)
    computed = json.loads(_python(site, TRIED_MLC).stdout)
    assert computed == {
        "enabled": True,
        "compiled": True,
        "gpu": False,
        "matmul": MLC,
        "value": [[11.0]],
        "add": CPU,
    }
    off = _python(site, TRIED_MLC, TF_DISABLE_MLC="1", TF_MLC_LOGGING="1")
    assert json.loads(off.stdout) == {**computed, "enabled": False, "matmul": CPU}
    assert "MLC: MatMul: passed over" in off.stderr
    trained = json.loads(_python(site, TRAIN).stdout)
    assert trained["loss"][-1] < trained["loss"][0] / 1000
    assert ["MatMul", MLC] in trained["ran"]


def _configure(miniature: Miniature, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [miniature.source / "configure"],
        env={**os.environ, "PYTHON_BIN_PATH": sys.executable, **env},
        stdin=subprocess.DEVNULL,
        check=False,
        capture_output=True,
        text=True,
    )


def test_configure_asks_nothing_and_writes_what_bazel_needs(
    miniature: Miniature, tmp_path: Path
) -> None:
    other = Miniature(miniature.git, miniature.bazel, tmp_path)
    other.check_out("v2.17.0")
    written = (other.source / ".tf_configure.bazelrc").read_text()
    assert f'build --repo_env=PYTHON_BIN_PATH="{sys.executable}"\n' in written
    assert "build:opt --copt=-w\n" in written
    zig = re.findall(r'ZIG_BIN_PATH="(.*)"', written)
    assert len(zig) == 1
    assert Path(zig[0]).is_file()
    for refused in ({"TF_NEED_CUDA": "1"}, {"PYTHON_BIN_PATH": str(tmp_path / "none")}):
        ended = _configure(other, **refused)
        assert ended.returncode != 0
        assert "Traceback" not in ended.stderr
