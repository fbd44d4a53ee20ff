"""What a benchmark compares: wheels, requirements or environments, each on a device."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from tensorflow_macos_build.errors import UsageError

_FORM = (
    "NAME=WHAT[,device=…][,arch=…][,python=…][,plugin=…], WHAT a wheel, a requirement or an"
    " environment"
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+ -]{0,39}")
_SETTING = re.compile(r",(device|arch|python|plugin)=")
_DEVICE = re.compile(r"[A-Z][A-Za-z_]*:[0-9]{1,3}|mlcompute:(any|cpu|gpu)")
_ARCHES = ("", "arm64", "x86_64")


@dataclass(frozen=True)
class Arm:
    """One side of a comparison.

    Attributes:
        name: what it is called in the report.
        source: a wheel's file, a requirement (PEP 508), the folder of an environment or its Python.
        device: where it runs, such as `GPU:0`; `mlcompute:gpu` for the fork of 2020.
        arch: the processor that its Python runs as; empty: as this program.
        python: the interpreter that an environment is made of; empty: this one.
        plugin: a plugin's wheel that is installed beside it; empty: none.
    """

    name: str
    source: str
    device: str
    arch: str = ""
    python: str = ""
    plugin: str = ""

    @property
    def interpreter(self) -> Path | None:
        """The Python of an environment that is there already; None where one is to be made."""
        path = Path(self.source)
        inside = path / "bin" / "python"
        if inside.is_file():
            return inside
        return path if path.is_file() and path.suffix != ".whl" else None

    @property
    def wheel(self) -> Path | None:
        """The wheel's file, where it is one."""
        path = Path(self.source)
        return path if path.suffix == ".whl" else None


def parse_arm(text: str, device: str) -> Arm:
    """Return an arm from `NAME=WHAT[,KEY=VALUE]…`; `device` counts where it states none.

    A requirement may have commas of its own (`tensorflow>=2.4,<2.6`): only known keys end it.

    Raises:
        UsageError: it is malformed, or names what is not there.
    """
    name, equals, rest = text.partition("=")
    if not equals or not _NAME.fullmatch(name):
        raise UsageError(f"`--arm` takes {_FORM}", where=text)
    source, *settings = _SETTING.split(rest)
    keys, values = settings[::2], settings[1::2]
    if len(set(keys)) < len(keys):
        raise UsageError("a setting stands twice in it", where=text)
    arm = Arm(name, source, **{"device": device, **dict(zip(keys, values, strict=True))})
    _check(arm, text)
    return arm


def _check(arm: Arm, text: str) -> None:
    if not _DEVICE.fullmatch(arm.device):
        raise UsageError(
            f"`{arm.device}` is no device", where=text, hint="e.g. GPU:0, CPU:0, mlcompute:gpu"
        )
    if arm.arch not in _ARCHES:
        raise UsageError(f"`{arm.arch}` is no processor", where=text, hint="arm64 or x86_64")
    for path in filter(None, (arm.wheel, Path(arm.plugin) if arm.plugin else None)):
        if not path.is_file():
            raise UsageError("there is no such wheel", where=str(path))
    if arm.interpreter is not None and (arm.plugin or arm.python):
        raise UsageError(
            "an environment is measured as it is, without `plugin=` and `python=`",
            where=text,
            hint="install the plugin into it, or give a wheel or a requirement",
        )
    if arm.interpreter is None and arm.wheel is None:
        _check_requirement(arm.source, text)


def _check_requirement(source: str, text: str) -> None:
    try:
        Requirement(source)
    except InvalidRequirement:
        hint = "give the path of a wheel or of an environment, or a requirement"
        what = f"`{source}` is neither there nor a requirement"
        raise UsageError(what, where=text, hint=hint) from None
