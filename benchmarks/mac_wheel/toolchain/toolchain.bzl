"""zig's C++ compiler and linker as Bazel's, for Macs."""

load("@bazel_tools//tools/build_defs/cc:action_names.bzl", "ACTION_NAMES")
load("@bazel_tools//tools/cpp:cc_toolchain_config_lib.bzl", "artifact_name_pattern", "env_entry", "env_set", "feature", "flag_group", "flag_set", "tool_path")
load("@local_config_zig//:defs.bzl", "ZIG_BIN_PATH", "ZIG_VERSION")
load("@local_zig_headers//:defs.bzl", "ZIG_HEADERS")

_COMPILE = [ACTION_NAMES.c_compile, ACTION_NAMES.cpp_compile, ACTION_NAMES.assemble, ACTION_NAMES.preprocess_assemble]
_LINK = [ACTION_NAMES.cpp_link_executable, ACTION_NAMES.cpp_link_dynamic_library, ACTION_NAMES.cpp_link_nodeps_dynamic_library]
_ARCHIVE = [ACTION_NAMES.cpp_link_static_library]

_OLDEST_MACOS = "11.0"
_SDK = "mac_wheel/toolchain/sdk"

def _flags(actions, flags):
    return flag_set(actions = actions, flag_groups = [flag_group(flags = flags)])

def _config_impl(ctx):
    oldest = ctx.configuration.default_shell_env.get("MACOSX_DEPLOYMENT_TARGET", _OLDEST_MACOS)
    target = ctx.attr.triple + "." + oldest
    always = feature(
        name = "always",
        enabled = True,
        flag_sets = [
            _flags(_COMPILE + _LINK, ["-target", target]),
            _flags(_COMPILE, ["-isystem", _SDK, "-fno-sanitize=undefined", "-g0", "-w"]),
            # Entries for debuggers would name zig's cache, whose folder another machine has elsewhere.
            _flags(_LINK, ["-F", _SDK, "-s"]),
        ],
        env_sets = [env_set(
            actions = _COMPILE + _LINK + _ARCHIVE,
            # The version is there to be part of each action's key.
            env_entries = [env_entry("ZIG", ZIG_BIN_PATH), env_entry("ZIG_VERSION", ZIG_VERSION)],
        )],
    )
    unused = ["cpp", "dwp", "gcov", "ld", "nm", "objcopy", "objdump", "strip"]
    return cc_common.create_cc_toolchain_config_info(
        ctx = ctx,
        toolchain_identifier = ctx.attr.cpu,
        host_system_name = "local",
        target_system_name = target,
        target_cpu = ctx.attr.cpu,
        # Not `macosx`, for which Bazel would take Apple's libtool to make archives.
        target_libc = "zig",
        compiler = "clang",
        abi_version = "unknown",
        abi_libc_version = "unknown",
        tool_paths = [tool_path(name = "ar", path = "ar"), tool_path(name = "gcc", path = "c++")] +
                     [tool_path(name = name, path = "/bin/false") for name in unused],
        artifact_name_patterns = [artifact_name_pattern("dynamic_library", "lib", ".dylib")],
        features = [always, feature(name = "supports_pic", enabled = True)],
        cxx_builtin_include_directories = [ZIG_HEADERS],
    )

_config = rule(
    implementation = _config_impl,
    attrs = {"cpu": attr.string(), "triple": attr.string()},
    provides = [CcToolchainConfigInfo],
)

def zig_toolchain(name, cpu, triple):
    """A C++ toolchain for one --cpu."""
    _config(name = name + "_config", cpu = cpu, triple = triple)
    native.cc_toolchain(
        name = name,
        all_files = ":files",
        ar_files = ":files",
        as_files = ":files",
        compiler_files = ":files",
        dwp_files = ":empty",
        linker_files = ":files",
        objcopy_files = ":empty",
        strip_files = ":empty",
        supports_param_files = True,
        toolchain_config = ":%s_config" % name,
    )
