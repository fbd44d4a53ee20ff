"""The module mlcompute of the queues, over stand-ins that record what TensorFlow is told.

What TensorFlow makes of it, `python -m benchmarks.mlcompute` shows on installed releases.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tensorflow_macos_build.patchqueue.formats import apply
from tensorflow_macos_build.patchqueue.queue import storage

PATCHES = Path(__file__).resolve().parents[4] / "patches"
PATH = b"tensorflow/python/compiler/mlcompute/mlcompute.py"
QUEUES = sorted(folder.name for folder in PATCHES.glob("tf-*"))

CPU = SimpleNamespace(name="/physical_device:CPU:0")
GPUS = [SimpleNamespace(name=f"/physical_device:GPU:{number}") for number in range(2)]


@dataclass
class TensorFlow:
    """What is listed, and what was set."""

    gpus: list[Any]
    is_open: bool = False
    visible: list[Any] | None = None
    logs: list[bool] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def listed(self, kind: str | None = None) -> list[Any]:
        return list(self.gpus) if kind == "GPU" else [CPU, *self.gpus]

    def show(self, devices: list[Any], kind: str) -> None:
        assert kind == "GPU"
        if self.is_open:
            raise RuntimeError("Visible devices cannot be modified after being initialized")
        self.visible = devices


def source(name: str) -> bytes:
    (content,) = (
        apply.content_after(change, b"")
        for patch in storage.load(PATCHES / name).patches
        for change in patch.patch.changes
        if change.new_path == PATH
    )
    return content


def test_all_queues_have_the_same_module() -> None:
    assert len({source(name) for name in QUEUES}) == 1


def module(monkeypatch: pytest.MonkeyPatch, tensorflow: TensorFlow) -> Any:
    for variable in ("TF_DISABLE_MLC", "TF_MLC_LOGGING"):
        monkeypatch.delenv(variable, raising=False)
    contents: dict[str, dict[str, Any]] = {
        "tensorflow": {},
        "tensorflow.python": {},
        "tensorflow.python.eager": {
            "context": SimpleNamespace(set_log_device_placement=tensorflow.logs.append)
        },
        "tensorflow.python.framework": {
            "config": SimpleNamespace(
                list_physical_devices=tensorflow.listed,
                set_visible_devices=tensorflow.show,
                get_visible_devices=lambda kind: tensorflow.visible,
            )
        },
        "tensorflow.python.platform": {
            "tf_logging": SimpleNamespace(
                warning=lambda text, *values: tensorflow.warnings.append(text % values)
            )
        },
    }
    for name, attributes in contents.items():
        stand_in = ModuleType(name)
        vars(stand_in).update(attributes)
        monkeypatch.setitem(sys.modules, name, stand_in)
    made = ModuleType("mlcompute")
    exec(compile(source(QUEUES[0]), PATH.decode(), "exec"), vars(made))
    return made


@pytest.mark.parametrize(
    ("choice", "visible"), [("any", GPUS), ("gpu", GPUS[:1]), ("cpu", [])], ids=str
)
def test_a_choice_leaves_these_gpus_visible(
    monkeypatch: pytest.MonkeyPatch, choice: str, visible: list[Any]
) -> None:
    tensorflow = TensorFlow(GPUS)
    mlcompute = module(monkeypatch, tensorflow)
    mlcompute.set_mlc_device(device_name=choice)
    assert tensorflow.visible == visible
    assert mlcompute.is_apple_mlc_enabled() == bool(visible)
    assert not tensorflow.logs


def test_a_missing_gpu_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    tensorflow = TensorFlow([])
    with pytest.raises(RuntimeError, match=r"lists no GPU, only CPU:0.*choose 'any'"):
        module(monkeypatch, tensorflow).set_mlc_device("gpu")
    assert tensorflow.visible is None


def test_any_takes_the_cpu_where_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    tensorflow = TensorFlow([])
    module(monkeypatch, tensorflow).set_mlc_device()
    assert tensorflow.visible == []


@pytest.mark.parametrize("name", ["GPU", "", None, "mlc"])
def test_another_name_is_refused(monkeypatch: pytest.MonkeyPatch, name: str | None) -> None:
    tensorflow = TensorFlow(GPUS)
    with pytest.raises(ValueError, match="'any', 'cpu' or 'gpu', not"):
        module(monkeypatch, tensorflow).set_mlc_device(name)
    assert tensorflow.visible is None


def test_a_late_choice_is_an_error_that_says_when(monkeypatch: pytest.MonkeyPatch) -> None:
    tensorflow = TensorFlow(GPUS, is_open=True)
    with pytest.raises(RuntimeError, match=r"comes too late.*right after the imports") as raised:
        module(monkeypatch, tensorflow).set_mlc_device("cpu")
    assert isinstance(raised.value.__cause__, RuntimeError)


def test_the_environment_turns_it_off_and_makes_it_log(monkeypatch: pytest.MonkeyPatch) -> None:
    tensorflow = TensorFlow(GPUS)
    mlcompute = module(monkeypatch, tensorflow)
    monkeypatch.setenv("TF_DISABLE_MLC", "1")
    monkeypatch.setenv("TF_MLC_LOGGING", "1")
    mlcompute.set_mlc_device("gpu")
    assert (tensorflow.visible, tensorflow.logs) == ([], [True])
    assert tensorflow.warnings == [
        "set_mlc_device('gpu'): the CPU runs everything, for TF_DISABLE_MLC is 1"
    ]
    assert not mlcompute.is_apple_mlc_enabled()
    assert mlcompute.is_tf_compiled_with_apple_mlc()
