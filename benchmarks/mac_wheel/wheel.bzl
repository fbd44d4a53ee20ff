"""Shared libraries of C++ libraries, and the wheel that they are in."""

load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")
load("@local_config_python//:defs.bzl", "PYTHON_BIN_PATH")

_FRAMEWORKS = ["-framework", "CoreFoundation"]

def _objects(dep):
    inputs = dep[CcInfo].linking_context.linker_inputs.to_list()
    libraries = [library for linker_input in inputs for library in linker_input.libraries]
    return [object for library in libraries for object in library.pic_objects or library.objects]

def _dylib_impl(ctx):
    toolchain = find_cpp_toolchain(ctx)
    features = cc_common.configure_features(ctx = ctx, cc_toolchain = toolchain)
    objects = depset([object for dep in ctx.attr.deps for object in _objects(dep)])
    name = ["-Wl,-headerpad_max_install_names", "-Wl,-install_name,@rpath/lib%s.dylib" % ctx.label.name]
    linked = cc_common.link(
        actions = ctx.actions,
        name = ctx.label.name,
        cc_toolchain = toolchain,
        # Objects, not archives: zig's linker has no -all_load.
        compilation_outputs = cc_common.create_compilation_outputs(pic_objects = objects),
        feature_configuration = features,
        output_type = "dynamic_library",
        user_link_flags = name + _FRAMEWORKS,
    )
    return [DefaultInfo(files = depset([linked.library_to_link.resolved_symlink_dynamic_library]))]

dylib = rule(
    doc = "All that some C++ libraries and those behind them have, whether it is used or not.",
    implementation = _dylib_impl,
    attrs = {
        "deps": attr.label_list(providers = [CcInfo]),
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
    },
    fragments = ["cpp"],
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)

def _wheel_impl(ctx):
    oldest = ctx.configuration.default_shell_env["MACOSX_DEPLOYMENT_TARGET"]
    architecture = "arm64" if ctx.var["TARGET_CPU"] == "darwin_arm64" else "x86_64"
    tag = "py3-none-macosx_%s_%s" % (oldest.replace(".", "_"), architecture)
    wheel = ctx.actions.declare_file("abseil_cpp-%s-%s.whl" % (ctx.attr.version, tag))
    headers = depset(transitive = [dep[CcInfo].compilation_context.headers for dep in ctx.attr.deps])
    places = [("include/" + file.short_path, file) for file in headers.to_list()]
    places += [("lib/" + file.basename, file) for file in ctx.files.libraries + ctx.files.data]
    manifest = ctx.actions.declare_file(ctx.label.name + ".manifest")
    ctx.actions.write(manifest, "".join(["abseil/%s\t%s\n" % (place, file.path) for place, file in places]))
    ctx.actions.run(
        executable = PYTHON_BIN_PATH,
        arguments = [ctx.file._writer.path, manifest.path, ctx.attr.version, tag, wheel.path],
        inputs = [manifest, ctx.file._writer] + [file for _, file in places],
        outputs = [wheel],
        mnemonic = "PackageWheel",
        progress_message = "Packaging %s" % wheel.basename,
    )
    return [DefaultInfo(files = depset([wheel]))]

abseil_wheel = rule(
    implementation = _wheel_impl,
    attrs = {
        "data": attr.label_list(allow_files = True),
        "deps": attr.label_list(providers = [CcInfo], doc = "whose headers it has"),
        "libraries": attr.label_list(allow_files = [".dylib"]),
        "version": attr.string(mandatory = True),
        "_writer": attr.label(default = "//mac_wheel:write_wheel.py", allow_single_file = True),
    },
)
