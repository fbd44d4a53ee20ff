"""The zig that compiles C for Macs and for this machine, as `./configure` found it."""

_ZIG_BIN_PATH = "ZIG_BIN_PATH"

def _zig_configure_impl(repository_ctx):
    zig = repository_ctx.os.environ.get(_ZIG_BIN_PATH)
    if not zig:
        fail("%s is not set: run ./configure first" % _ZIG_BIN_PATH)
    found = repository_ctx.execute([zig, "version"])
    if found.return_code != 0:
        fail("%s does not run: %s" % (zig, found.stderr))
    repository_ctx.file("BUILD", "")
    repository_ctx.file(
        "defs.bzl",
        "ZIG_BIN_PATH = %r\nZIG_VERSION = %r\n" % (zig, found.stdout.strip()),
    )

zig_configure = repository_rule(
    implementation = _zig_configure_impl,
    environ = [_ZIG_BIN_PATH],
    local = True,
)
