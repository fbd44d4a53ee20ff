"""C libraries and programs, compiled by zig for whatever --cpu names.

zig carries the headers and the stub libraries of macOS and of glibc, so the same rules make Mach-O
and ELF on any machine, and no compiler of the machine takes part.
"""

load("@local_config_zig//:defs.bzl", "ZIG_BIN_PATH", "ZIG_VERSION")

ObjectsInfo = provider(
    doc = "Compiled C files.",
    fields = {"objects": "depset of .o files", "headers": "depset of headers that users need"},
)

SharedInfo = provider(
    doc = "A shared library that others may link.",
    fields = {"library": "the file", "headers": "depset of headers that users need"},
)

_TRIPLES = {
    "darwin_arm64": "aarch64-macos",
    "darwin_x86_64": "x86_64-macos",
    "darwin": "x86_64-macos",
    "k8": "x86_64-linux-gnu",
    "x86_64": "x86_64-linux-gnu",
    "aarch64": "aarch64-linux-gnu",
    "arm64": "aarch64-linux-gnu",
}

_OLDEST_GLIBC = "2.17"
_OLDEST_MACOS = "11.0"

# Without -nostdlib zig adds a run-time library of its own, which it compiles from source first.
_LINK = ["-nostdlib", "-lc", "-s"]
_COMPILE = ["-std=c11", "-O2", "-g0", "-fPIC", "-fno-sanitize=undefined", "-Wall", "-I."]

# Relative: zig may write only where its action may, and every action has a folder of its own.
_ENV = {
    "ZIG_GLOBAL_CACHE_DIR": ".zig-cache",
    "ZIG_LOCAL_CACHE_DIR": ".zig-cache",
    "ZIG_VERSION": ZIG_VERSION,
}

def is_macos(ctx):
    """Tells whether the target is a Mac."""
    return ctx.var["TARGET_CPU"].startswith("darwin")

def deployment_target(ctx):
    """The oldest macOS that the target runs on, from MACOSX_DEPLOYMENT_TARGET."""
    return ctx.configuration.default_shell_env.get("MACOSX_DEPLOYMENT_TARGET", _OLDEST_MACOS)

def _target(ctx, macos):
    triple = _TRIPLES.get(ctx.var["TARGET_CPU"])
    if not triple:
        fail("no compiler for --cpu=%s" % ctx.var["TARGET_CPU"])
    return ["-target", triple + "." + (macos if is_macos(ctx) else _OLDEST_GLIBC)]

def _zig(ctx, mnemonic, message, arguments, inputs, output):
    ctx.actions.run(
        executable = ZIG_BIN_PATH,
        arguments = ["cc"] + arguments + ["-o", output.path],
        inputs = inputs,
        outputs = [output],
        env = _ENV,
        mnemonic = mnemonic,
        progress_message = message,
    )

def _compile(ctx, source, headers, flags):
    output = ctx.actions.declare_file("_objs/%s/%s.o" % (ctx.label.name, source.basename[:-2]))
    arguments = flags + _COMPILE + ["-I" + ctx.bin_dir.path, "-c", source.path]
    message = "Compiling %s" % source.short_path
    _zig(ctx, "ZigCompile", message, arguments, depset([source], transitive = [headers]), output)
    return output

def _headers(ctx):
    found = [dep[ObjectsInfo].headers for dep in ctx.attr.deps if ObjectsInfo in dep]
    found += [dep[SharedInfo].headers for dep in ctx.attr.deps if SharedInfo in dep]
    return depset(ctx.files.hdrs, transitive = found)

def _library_impl(ctx):
    headers = _headers(ctx)
    flags = _target(ctx, deployment_target(ctx)) + ctx.fragments.cpp.copts
    objects = [_compile(ctx, source, headers, flags) for source in ctx.files.srcs]
    deeper = [dep[ObjectsInfo].objects for dep in ctx.attr.deps if ObjectsInfo in dep]
    return [
        DefaultInfo(files = depset(objects)),
        ObjectsInfo(objects = depset(objects, transitive = deeper), headers = headers),
    ]

_ATTRS = {
    "srcs": attr.label_list(allow_files = [".c"]),
    "hdrs": attr.label_list(allow_files = [".h"]),
    "deps": attr.label_list(providers = [[ObjectsInfo], [SharedInfo]]),
}

zig_library = rule(implementation = _library_impl, attrs = _ATTRS, fragments = ["cpp"])

def _name_flags(ctx, name):
    if not is_macos(ctx):
        return ["-Wl,-soname,%s" % name] + ["-Wl,-rpath,$ORIGIN/" + path for path in ctx.attr.rpaths]
    rpaths = ["-Wl,-rpath,@loader_path/" + path for path in ctx.attr.rpaths]
    return ["-Wl,-install_name,@rpath/" + name, "-Wl,-headerpad_max_install_names"] + rpaths

def _shared_impl(ctx):
    name = ctx.attr.macos_name if is_macos(ctx) else ctx.attr.linux_name
    output = ctx.actions.declare_file(name)
    headers = _headers(ctx)
    objects = depset(transitive = [dep[ObjectsInfo].objects for dep in ctx.attr.deps if ObjectsInfo in dep])
    libraries = [dep[SharedInfo].library for dep in ctx.attr.deps if SharedInfo in dep]
    late = ["-Wl,-undefined,dynamic_lookup"] if is_macos(ctx) else ["-Wl,-z,undefs"]
    arguments = _target(ctx, deployment_target(ctx)) + ["-shared"] + _LINK + _name_flags(ctx, name)
    arguments += late if ctx.attr.python_extension else []
    arguments += [file.path for file in objects.to_list() + libraries]
    inputs = depset(libraries, transitive = [objects])
    _zig(ctx, "ZigLink", "Linking %s" % output.short_path, arguments, inputs, output)
    return [DefaultInfo(files = depset([output])), SharedInfo(library = output, headers = headers)]

zig_shared_library = rule(
    implementation = _shared_impl,
    attrs = {
        "deps": _ATTRS["deps"],
        "hdrs": _ATTRS["hdrs"],
        "macos_name": attr.string(mandatory = True),
        "linux_name": attr.string(mandatory = True),
        "rpaths": attr.string_list(doc = "Folders to search, relative to the library's own."),
        "python_extension": attr.bool(doc = "The interpreter binds the symbols that are left."),
    },
)

def _host_tool_impl(ctx):
    flags = _target(ctx, _OLDEST_MACOS)
    objects = [_compile(ctx, source, depset(), flags) for source in ctx.files.srcs]
    output = ctx.actions.declare_file(ctx.label.name)
    arguments = flags + _LINK + [file.path for file in objects]
    _zig(ctx, "ZigLink", "Linking %s" % output.short_path, arguments, depset(objects), output)
    return [DefaultInfo(files = depset([output]), executable = output)]

zig_host_tool = rule(
    implementation = _host_tool_impl,
    attrs = {"srcs": attr.label_list(allow_files = [".c"])},
    executable = True,
)
