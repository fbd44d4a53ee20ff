"""Asks how to build, and writes the answers to .tf_configure.bazelrc.

Every answer can be given beforehand by a variable of the environment; then nothing is asked, and
a build without a terminal works. Where there is no terminal, the default is taken.
"""

import importlib.util
import os
import shutil
import subprocess
import sys

_RC = ".tf_configure.bazelrc"
_TRUE = ("1", "t", "true", "y", "yes")

_QUESTIONS = (
    # variable, what is asked, on macOS only
    ("TF_NEED_ROCM", "Do you wish to build TensorFlow with ROCm support?", False),
    ("TF_NEED_CUDA", "Do you wish to build TensorFlow with CUDA support?", False),
    ("TF_NEED_CLANG", "Do you want to use Clang to build TensorFlow?", False),
    ("TF_DOWNLOAD_CLANG", "Do you wish to download a fresh release of clang?", False),
    ("TF_SET_ANDROID_WORKSPACE", "Would you like to configure ./WORKSPACE for Android?", False),
    ("TF_CONFIGURE_IOS", "Do you wish to build TensorFlow with iOS support?", True),
)


class Refused(Exception):
    """The answers ask for what cannot be built."""


def _answer(variable, question, default):
    """The answer to a question: from the environment, else from the terminal, else the default."""
    if variable in os.environ:
        return os.environ[variable]
    if not sys.stdin.isatty():
        return default
    return input("%s [%s]: " % (question, default)) or default


def _python():
    python = _answer("PYTHON_BIN_PATH", "Please specify the location of python.", sys.executable)
    if not shutil.which(python):
        raise Refused("PYTHON_BIN_PATH: there is no program %s" % python)
    return python


def _library_path(python):
    """The first folder of site-packages, which USE_DEFAULT_PYTHON_LIB_PATH=1 takes unasked."""
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    default = subprocess.check_output([python, "-c", code], text=True).strip()
    if os.environ.get("USE_DEFAULT_PYTHON_LIB_PATH", "").lower() in _TRUE:
        return default
    return _answer("PYTHON_LIB_PATH", "Which library path of Python should be used?", default)


def _zig():
    """zig: what ZIG_BIN_PATH says, else the package `ziglang`, else the one on PATH."""
    if "ZIG_BIN_PATH" in os.environ:
        return os.environ["ZIG_BIN_PATH"]
    package = importlib.util.find_spec("ziglang")
    if package is not None:
        return os.path.join(os.path.dirname(package.origin), "zig")
    found = shutil.which("zig")
    if found is None:
        raise Refused("no zig: install the package `ziglang`, or set ZIG_BIN_PATH")
    return found


def _refuse_what_is_missing():
    for variable, question, macos_only in _QUESTIONS:
        if macos_only and sys.platform != "darwin":
            continue
        if _answer(variable, question, "0").lower() in _TRUE:
            raise Refused("%s: this miniature has no such support" % variable)


def _lines():
    _refuse_what_is_missing()
    python = _python()
    yield 'build --repo_env=PYTHON_BIN_PATH="%s"' % python
    yield 'build --repo_env=PYTHON_LIB_PATH="%s"' % _library_path(python)
    yield 'build --python_path="%s"' % python
    yield 'build --repo_env=ZIG_BIN_PATH="%s"' % _zig()
    flags = _answer("CC_OPT_FLAGS", "Which flags should --config=opt use?", "-Wno-sign-compare")
    for flag in flags.split():
        yield "build:opt --copt=%s" % flag


def main():
    """Write the answers, and return the exit status."""
    os.chdir(os.path.dirname(os.path.abspath(__file__)))
    try:
        lines = list(_lines())
    except Refused as error:
        print("configure: %s" % error, file=sys.stderr)
        return 1
    with open(_RC, "w", encoding="utf-8") as rc:
        rc.write("\n".join(lines) + "\n")
    print("Configuration finished")
    return 0


if __name__ == "__main__":
    sys.exit(main())
