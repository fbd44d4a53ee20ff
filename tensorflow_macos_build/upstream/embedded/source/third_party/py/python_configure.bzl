"""The Python interpreter that the wheel is built for, as `./configure` chose it."""

_PYTHON_BIN_PATH = "PYTHON_BIN_PATH"
_WHEEL_NAME = "WHEEL_NAME"
_ABI = "import sys; print('%d.%d' % sys.version_info[:2])"

def _python_configure_impl(repository_ctx):
    python = repository_ctx.os.environ.get(_PYTHON_BIN_PATH)
    if not python:
        fail("%s is not set: run ./configure first" % _PYTHON_BIN_PATH)
    found = repository_ctx.execute([python, "-c", _ABI])
    if found.return_code != 0:
        fail("%s does not run: %s" % (python, found.stderr))
    repository_ctx.file("BUILD", "")
    repository_ctx.file(
        "defs.bzl",
        "PYTHON_BIN_PATH = %r\nPYTHON_VERSION = %r\nWHEEL_NAME = %r\n" % (
            python,
            found.stdout.strip(),
            repository_ctx.os.environ.get(_WHEEL_NAME, "tensorflow"),
        ),
    )

python_configure = repository_rule(
    implementation = _python_configure_impl,
    environ = [_PYTHON_BIN_PATH, _WHEEL_NAME],
    local = True,
)
