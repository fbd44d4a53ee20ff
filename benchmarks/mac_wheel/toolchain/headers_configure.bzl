"""Where zig's own headers lie, by the name that its compiler tells in a list of dependencies."""

_ZIG_BIN_PATH = "ZIG_BIN_PATH"

def _headers_configure_impl(repository_ctx):
    # The compiler resolves symbolic links, which zig's folder may be behind.
    zig = repository_ctx.path(repository_ctx.os.environ[_ZIG_BIN_PATH]).realpath
    repository_ctx.file("BUILD", "")
    repository_ctx.file("defs.bzl", "ZIG_HEADERS = %r\n" % str(zig.dirname.get_child("lib")))

headers_configure = repository_rule(
    implementation = _headers_configure_impl,
    environ = [_ZIG_BIN_PATH],
    local = True,
)
