"""The wheel: which files go where in it, and what it is called."""

load("@local_config_python//:defs.bzl", "PYTHON_BIN_PATH", "PYTHON_VERSION", "WHEEL_NAME")
load("//tensorflow:tensorflow.bzl", "VERSION")
load("//third_party/zig:cc.bzl", "deployment_target", "is_macos")

_INCLUDE = "tensorflow/include/"
_ONEDNN = "third_party/onednn/"

def _platform_tag(ctx):
    cpu = ctx.var["TARGET_CPU"]
    arm = cpu in ("darwin_arm64", "aarch64", "arm64")
    if not is_macos(ctx):
        return "linux_aarch64" if arm else "linux_x86_64"

    # From macOS 11 on, platform tags have no minor version: packaging.tags.mac_platforms.
    major, minor = (deployment_target(ctx) + ".0").split(".")[:2]
    minor = "0" if int(major) >= 11 else minor
    return "macosx_%s_%s_%s" % (major, minor, "arm64" if arm else "x86_64")

def _header_place(file):
    if file.short_path.startswith(_ONEDNN):
        return _INCLUDE + "external/onednn/" + file.short_path[len(_ONEDNN):]
    return _INCLUDE + file.short_path

def _places(ctx):
    """Where each file goes in the wheel, as pairs of (place, file)."""
    return [(file.short_path, file) for file in ctx.files.contents] + [
        (_header_place(file), file)
        for file in ctx.files.headers
    ]

def _arguments(ctx):
    python = "cp" + PYTHON_VERSION.replace(".", "")
    return [
        "--version=" + VERSION,
        "--tag=%s-%s-%s" % (python, python, _platform_tag(ctx)),
    ]

def _manifest(ctx, name, lines):
    manifest = ctx.actions.declare_file(name)
    ctx.actions.write(manifest, "".join(["\t".join(line) + "\n" for line in lines]))
    return manifest

_SCRIPT = """#!/bin/sh
# Usage: build_pip_package OUTPUT_DIR [--project_name NAME]
set -eu
root="$0.runfiles/{workspace}"
exec "{python}" "$root/{builder}" --root="$root" --manifest={manifest} --license={license} \\
    {arguments} --verbose --out "$@"
"""

def _script_impl(ctx):
    manifest = _manifest(
        ctx,
        ctx.label.name + ".manifest",
        [(place, file.short_path) for place, file in _places(ctx)],
    )
    ctx.actions.write(
        ctx.outputs.executable,
        _SCRIPT.format(
            workspace = ctx.workspace_name,
            python = PYTHON_BIN_PATH,
            builder = ctx.file.builder.short_path,
            manifest = manifest.short_path,
            license = ctx.file.license.short_path,
            arguments = " ".join(_arguments(ctx) + ["--project_name=" + WHEEL_NAME]),
        ),
        is_executable = True,
    )
    needed = [manifest, ctx.file.builder, ctx.file.license] + ctx.files.contents + ctx.files.headers
    return [DefaultInfo(runfiles = ctx.runfiles(files = needed))]

_ATTRS = {
    "builder": attr.label(allow_single_file = [".py"], mandatory = True),
    "contents": attr.label_list(allow_files = True),
    "headers": attr.label_list(allow_files = [".h"]),
    "license": attr.label(allow_single_file = True, mandatory = True),
}

tf_pip_package_script = rule(
    doc = "A program that writes the wheel into the folder that it is given.",
    implementation = _script_impl,
    attrs = _ATTRS,
    executable = True,
)
