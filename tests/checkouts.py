"""A tiny stand-in checkout, with the real scripts/inv in it, that needs no network to set up."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).parents[1] / "scripts"

PROGRAM = """\
import fcntl, importlib.util, json, os, pathlib, signal, sys
import dependency

if sys.argv[1:2] == ["exit"]:
    sys.exit(int(sys.argv[2]))
if sys.argv[1:2] == ["hold"]:
    held = open(os.path.join(sys.prefix, "stamp/in-use"))
    fcntl.flock(held, fcntl.LOCK_SH)
    print("held", flush=True)
    sys.stdin.read()
    import late  # from the environment, after it was replaced
print(json.dumps({
    "argv": sys.argv[1:], "cwd": os.getcwd(), "prefix": sys.prefix, "home": os.environ.get("HOME"),
    "version": dependency.VERSION, "interruptible": os.environ.get("INV_INTERRUPTIBLE"),
    "checkout": os.environ.get("INV_CHECKOUT"), "program": os.environ.get("INV_PROGRAM"),
    "ignores_interrupts": signal.getsignal(signal.SIGINT) is signal.SIG_IGN,
    "groups": [name for name in ("demo", "lint") if importlib.util.find_spec(name)],
    "wants": os.environ.get("INV_GROUPS"),
}))
"""

SHIM = """\
#!/bin/sh
echo {name} >>"{log}"
exec "{program}" "$@"
"""

# Stands for Debian's Python, which has no ensurepip until python3-venv is installed. It is also
# the quicker way to an environment, so most tests take it.
PYTHON_SHIM = """\
#!/bin/sh
echo python3 >>"{log}"
case "${{3-}}" in
    */environment)
        shift 2
        exec "{program}" -I -B -c '
import runpy, sys
for name in "{hidden}".split(): sys.modules[name] = None
sys.argv = sys.argv[1:]
sys.executable = "{base}" or sys.executable
runpy.run_path(sys.argv[0], run_name="__main__")' "$@" ;;
esac
exec "{program}" "$@"
"""

# A Python whose pip is the stand-in below, and which is the real one in all else.
QUICK_SHIM = """\
#!/bin/sh
[ "$1 $2" != "-m pip" ] || exec "{program}" -I -S -B "{pip}" "$@"
exec "{program}" "$@"
"""

# Does of pip's work what a set-up asks for, in a tenth of its time: what locks name by its hash.
QUICK_PIP = """\
import hashlib, os, pathlib, re, sys, zipfile

words = sys.argv[1:]
inner = words[words.index("--python") + 1]
(packages,) = pathlib.Path(inner).parents[1].glob("lib/python3*/site-packages")

def unpack(wheel):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
        info = next(name for name in archive.namelist() if ".dist-info/" in name).partition("/")[0]
    (packages / info / "INSTALLER").write_text("pip\\n")

for lock in (pathlib.Path(words[at + 1]) for at, word in enumerate(words) if word == "-r"):
    for pin in re.findall(r"(?m)^(\\S+)==(\\S+) --hash=sha256:(\\S+)$", lock.read_text()):
        name, version, digest = pin
        wheel = pathlib.Path(os.environ["PIP_FIND_LINKS"], f"{name}-{version}-py3-none-any.whl")
        if hashlib.sha256(wheel.read_bytes()).hexdigest() != digest:
            sys.exit(f"{wheel} has another hash")
        unpack(wheel)
"""


@dataclass(frozen=True)
class Checkout:
    """A stand-in checkout and the only programs that its scripts/inv can find.

    Attributes:
        root: the checkout.
        tools: the only folder on PATH; each program in it writes its name to `log` when it starts.
    """

    root: Path
    tools: Path

    @property
    def log(self) -> Path:
        return self.tools.with_name("started")

    @property
    def environments(self) -> list[Path]:
        return sorted((self.root / ".venv.d").glob("env-*"))

    def lock(self, version: str, group: str = "run") -> None:
        """Let a lock ask for a stand-in at `version`: `dependency`, or one called as the group."""
        name = "dependency" if group == "run" else group
        late = {"late.py": b""} if group == "run" else {}
        module = {f"{name}.py": f"VERSION = {version!r}\n".encode(), **late}
        wheel = _write(self.tools.with_name("wheels"), name, version, module)
        digest = hashlib.sha256(wheel).hexdigest()
        self.lock_of(group).write_text(f"{name}=={version} --hash=sha256:{digest}\n")

    def lock_of(self, group: str = "run") -> Path:
        """Return the lock of a dependency group."""
        return self.root / f"scripts/locks/{group}.txt"

    def add_uv(self, program: bytes) -> None:
        """Let the lock bring a uv, too."""
        wheel = _uv_wheel(self.tools.with_name("wheels"), program)
        with self.lock_of().open("a") as stream:
            stream.write(f"uv==1.0 \\\n    --hash=sha256:{hashlib.sha256(wheel).hexdigest()}\n")

    def forbid_uv(self) -> None:
        """Let the lock ask for a uv that has no wheel for this machine, but one for another."""
        self.add_uv(b"")
        wheel = self.tools.with_name("wheels") / "uv-1.0-py3-none-any.whl"
        wheel.rename(wheel.with_name("uv-1.0-py3-none-plan9_mips.whl"))

    def installer(self) -> str:
        """Return what has installed the stand-in dependency, as PEP 376 has it recorded."""
        (path,) = (self.root / ".venv/lib").glob("*/site-packages/dependency-*/INSTALLER")
        return path.read_text().strip()

    def imports(self, module: str) -> bool:
        """Whether the Python behind the link .venv can import a module, from anywhere."""
        argv = [str(self.root / ".venv/bin/python"), "-I", "-c", f"import {module}"]
        return subprocess.run(argv, cwd="/", check=False, capture_output=True).returncode == 0

    def hide(self, *modules: str) -> None:
        """Let the base Python come without these modules."""
        _python(self.tools, self.log, modules)

    def use_pip(self) -> None:
        """Let the base Python's pip work; it has no ensurepip."""
        self.hide("ensurepip")

    def set_pip_aside(self) -> None:
        """Let a stand-in do the base Python's pip's work from now on: most tests are not of pip."""
        pip, base = (self.tools.with_name(name) for name in ("quick_pip.py", "quick-python"))
        pip.write_text(QUICK_PIP)
        _executable(base, QUICK_SHIM.format(program=sys.executable, pip=pip))
        _python(self.tools, self.log, ("ensurepip",), base)

    def started(self) -> list[str]:
        """Return the names of the programs started since the last call."""
        names = self.log.read_text().split() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return names

    def popen(self, *args: str, script: Path | None = None, **options: Any) -> Any:
        """Start scripts/inv; `env` changes its environment, which is otherwise empty."""
        changes = options.pop("env", {})
        env = {
            "PATH": str(self.tools),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.tools.with_name("wheels")),
            "HOME": str(self.tools.parent),
            **changes,
        }
        return subprocess.Popen(
            ["/bin/sh", str(script or self.root / "scripts/inv"), *args],
            env={name: value for name, value in env.items() if value is not None},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def run(self, *args: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run scripts/inv to its end."""
        with self.popen(*args, **options) as child:
            out, err = child.communicate(timeout=120)
            return subprocess.CompletedProcess(args, child.returncode, out, err)

    def report(self, *args: str, **options: Any) -> dict[str, Any]:
        """Run scripts/inv, which must succeed, and return what its program says of itself."""
        ended = self.run(*args, **options)
        assert ended.returncode == 0, ended.stderr
        report: dict[str, Any] = json.loads(ended.stdout)
        return report


def make(folder: Path, name: str = "checkout") -> Checkout:
    """Make a checkout called `name`, which is not set up yet, and its tools beside it."""
    root = folder / name
    checkout = Checkout(root, folder / "bin")
    checkout.tools.mkdir(parents=True)
    (folder / "wheels").mkdir()
    for path, text in {
        "tensorflow_macos_build/__init__.py": "",
        "tensorflow_macos_build/__main__.py": PROGRAM,
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    (root / "scripts/locks").mkdir(parents=True)
    shutil.copytree(SCRIPTS / "environment", root / "scripts/environment")
    for script in ("inv",):
        shutil.copy2(SCRIPTS / script, root / "scripts" / script)
    for program in ("git", "cat", "cmp", "readlink"):
        located = shutil.which(program)
        assert located is not None, f"{program} is missing"
        _executable(
            checkout.tools / program, SHIM.format(name=program, log=checkout.log, program=located)
        )
    checkout.use_pip()
    checkout.lock("1.0")
    return checkout


def _python(tools: Path, log: Path, hidden: tuple[str, ...], base: Path | None = None) -> None:
    names = " ".join(hidden)
    text = PYTHON_SHIM.format(log=log, program=sys.executable, hidden=names, base=base or "")
    _executable(tools / "python3", text)


def _executable(path: Path, text: str) -> None:
    aside = path.with_suffix(".new")
    aside.write_text(text)
    aside.chmod(0o755)
    os.replace(aside, path)  # noqa: PTH105


def _uv_wheel(folder: Path, program: bytes) -> bytes:
    return _write(folder, "uv", "1.0", {"uv-1.0.data/scripts/uv": program})


def _write(folder: Path, project: str, version: str, members: dict[str, bytes]) -> bytes:
    info = f"{project}-{version}.dist-info/"
    metadata = f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n"
    tags = "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    dist_info = {info + "METADATA": metadata.encode(), info + "WHEEL": tags.encode()}
    path = folder / f"{project}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        record = ""
        for name, content in {**members, **dist_info}.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode()
            record += f"{name},sha256={digest.rstrip('=')},{len(content)}\n"
            member = zipfile.ZipInfo(name)
            member.external_attr = (0o100755 if "/scripts/" in name else 0o100644) << 16
            wheel.writestr(member, content)
        wheel.writestr(zipfile.ZipInfo(info + "RECORD"), f"{record}{info}RECORD,,\n")
    return path.read_bytes()
