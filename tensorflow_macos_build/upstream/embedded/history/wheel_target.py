"""The change by which the wheel became a target of the build: the largest of all."""

from tensorflow_macos_build.upstream.embedded.edits import Replace

_PIP = "tensorflow/tools/pip_package"

_RULE = """
def _wheel_impl(ctx):
    name = WHEEL_NAME.replace("-", "_").replace(".", "_")
    arguments = _arguments(ctx)
    tag = arguments[1][len("--tag="):]
    wheel = ctx.actions.declare_file("wheel_house/%s-%s-%s.whl" % (name, VERSION, tag))
    places = _places(ctx)
    manifest = _manifest(
        ctx,
        ctx.label.name + ".manifest",
        [(place, file.path) for place, file in places],
    )
    ctx.actions.run(
        executable = PYTHON_BIN_PATH,
        arguments = [
            ctx.file.builder.path,
            "--manifest=" + manifest.path,
            "--license=" + ctx.file.license.path,
            "--project_name=" + WHEEL_NAME,
            "--out=" + wheel.dirname,
        ] + arguments,
        inputs = [manifest, ctx.file.builder, ctx.file.license] + [file for _, file in places],
        outputs = [wheel],
        mnemonic = "PackageWheel",
        progress_message = "Packaging %s" % wheel.basename,
    )
    return [DefaultInfo(files = depset([wheel]))]

"""

_WHEEL = """
tf_wheel(
    name = "wheel",
    builder = "build_wheel.py",
    contents = _CONTENTS,
    headers = _HEADERS,
    license = "//:LICENSE",
)
"""

_CONTENTS = """\
_CONTENTS = [
    "//tensorflow:libtensorflow_framework",
    "//tensorflow:python_root",
    "//tensorflow/python:_pywrap_tensorflow_internal",
    "//tensorflow/python:_pywrap_util_port",
    "//tensorflow/python:python_sources",
]

_HEADERS = [
    "//tensorflow/c:public_headers",
    "//tensorflow/core:public_headers",
] + select({
    ":linux_x86_64": _ONEDNN,
    ":macos_x86_64": _ONEDNN,
    "//conditions:default": [],
})
"""

_OLD_CONTENTS = """\
    contents = [
        "//tensorflow:libtensorflow_framework",
        "//tensorflow:python_root",
        "//tensorflow/python:_pywrap_tensorflow_internal",
        "//tensorflow/python:_pywrap_util_port",
        "//tensorflow/python:python_sources",
    ],
    headers = [
        "//tensorflow/c:public_headers",
        "//tensorflow/core:public_headers",
    ] + select({
        ":linux_x86_64": _ONEDNN,
        ":macos_x86_64": _ONEDNN,
        "//conditions:default": [],
    }),
    license = "//:LICENSE",
)
"""

EDITS = (
    Replace(
        f"{_PIP}/wheel.bzl", '\n_ATTRS = {\n    "builder"', _RULE + '_ATTRS = {\n    "builder"'
    ),
    Replace(
        f"{_PIP}/wheel.bzl",
        "tf_pip_package_script = rule(",
        "tf_wheel = rule(\n"
        '    doc = "The wheel itself, in wheel_house/.",\n'
        "    implementation = _wheel_impl,\n"
        "    attrs = _ATTRS,\n"
        ")\n\n"
        "tf_pip_package_script = rule(",
    ),
    Replace(
        f"{_PIP}/BUILD",
        'load("//tensorflow/tools/pip_package:wheel.bzl", "tf_pip_package_script")',
        'load("//tensorflow/tools/pip_package:wheel.bzl", "tf_pip_package_script", "tf_wheel")',
    ),
    Replace(
        f"{_PIP}/BUILD",
        'tf_pip_package_script(\n    name = "build_pip_package",\n    builder = "build_wheel.py",\n'
        + _OLD_CONTENTS,
        _CONTENTS + '\ntf_pip_package_script(\n    name = "build_pip_package",\n'
        '    builder = "build_wheel.py",\n'
        "    contents = _CONTENTS,\n    headers = _HEADERS,\n"
        '    license = "//:LICENSE",\n)\n' + _WHEEL,
    ),
    Replace(
        "README.md",
        "    bazel build //tensorflow/tools/pip_package:build_pip_package\n"
        "    bazel-bin/tensorflow/tools/pip_package/build_pip_package OUTPUT_DIR\n",
        "    bazel build //tensorflow/tools/pip_package:wheel\n\n"
        "The wheel is in bazel-bin/tensorflow/tools/pip_package/wheel_house.\n",
    ),
)
"""One rule more, one target more, and the lists that both targets share."""
