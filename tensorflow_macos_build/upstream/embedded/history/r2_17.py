"""From the branch of 2.16 to the release 2.17.0: new ops, and the wheel as a target."""

from tensorflow_macos_build.upstream.embedded.history import people, wheel_target
from tensorflow_macos_build.upstream.embedded.story import (
    Commit,
    Delete,
    Move,
    Release,
    Replace,
    Write,
)

_CI = "tensorflow/tools/ci_build"
_KERNELS = "tensorflow/core/kernels"
_KERAS = "tensorflow/python/keras"


def pull_request(number: int) -> str:
    """The body of a commit that came as a pull request."""
    return f"Imported from https://example.org/tensorflow/pull/{number}"


_ACTIVATION_OPS = """\
#include "tensorflow/core/framework/kernel.h"
#include "tensorflow/core/kernels/register_kernels.h"

static TF_Code ReluShape(const TF_Attrs *attrs, const TF_Tensor *inputs, TF_Tensor *out) {
  TF_CopyShape(&inputs[0], out);
  return TF_OK;
}

static void Relu(const TF_Attrs *attrs, const TF_Tensor *inputs, TF_Tensor *out) {
  int64_t count = TF_NumElements(out);
  for (int64_t i = 0; i < count; ++i) {
    float x = inputs[0].data[i];
    out->data[i] = x > 0 ? x : 0;
  }
}

static TF_Code ReluGradShape(const TF_Attrs *attrs, const TF_Tensor *inputs, TF_Tensor *out) {
  if (TF_NumElements(&inputs[0]) != TF_NumElements(&inputs[1])) return TF_INVALID_ARGUMENT;
  TF_CopyShape(&inputs[0], out);
  return TF_OK;
}

/* The gradient where the output of Relu is positive, else zero. */
static void ReluGrad(const TF_Attrs *attrs, const TF_Tensor *inputs, TF_Tensor *out) {
  int64_t count = TF_NumElements(out);
  for (int64_t i = 0; i < count; ++i) {
    out->data[i] = inputs[1].data[i] > 0 ? inputs[0].data[i] : 0;
  }
}

static const TF_Kernel relu = {"Relu", "CPU", "ReluOp<CPU>", 1, ReluShape, Relu};
static const TF_Kernel relu_grad = {"ReluGrad", "CPU", "ReluGradOp<CPU>", 2, ReluGradShape,
                                    ReluGrad};

void TF_RegisterActivationKernels(void) {
  TF_RegisterKernel(&relu);
  TF_RegisterKernel(&relu_grad);
}
"""

_NEW_OPS = (
    Commit(
        "Bump the version to 2.17.0 after the branch cut",
        people.RELEASES,
        "2024-03-08T09:00:00-08:00",
        (
            Replace("tensorflow/core/public/version.h", "MINOR_VERSION 16", "MINOR_VERSION 17"),
            Replace("tensorflow/tensorflow.bzl", 'VERSION = "2.16.0"', 'VERSION = "2.17.0"'),
        ),
    ),
    Commit(
        "Tell whether oneDNN is compiled in",
        people.FARID,
        "2024-03-12T13:37:20+03:00",
        (
            Replace(
                "tensorflow/core/util/port.h",
                "/* Whether ROCm support",
                "/* Whether oneDNN is compiled in. */\nint IsMklEnabled(void);\n\n"
                "/* Whether ROCm support",
            ),
            Replace(
                "tensorflow/core/util/port.c",
                "int IsBuiltWithROCm(void)",
                "int IsMklEnabled(void) { return 0; }\n\nint IsBuiltWithROCm(void)",
            ),
            Replace(
                "tensorflow/python/util/util_port_wrapper.c",
                "static PyObject *BuiltWithROCm(",
                "static PyObject *MklEnabled(PyObject *self, PyObject *args) {\n"
                "  return PyBool_FromLong(IsMklEnabled());\n}\n\n"
                "static PyObject *BuiltWithROCm(",
            ),
            Replace(
                "tensorflow/python/util/util_port_wrapper.c",
                '    {"IsBuiltWithROCm", BuiltWithROCm,',
                '    {"IsMklEnabled", MklEnabled, METH_NOARGS, "Whether oneDNN is compiled in."},\n'
                '    {"IsBuiltWithROCm", BuiltWithROCm,',
            ),
        ),
    ),
    Commit(
        "Add Relu and its gradient",
        people.BJORN,
        "2024-03-19T10:11:12+01:00",
        (
            Write(f"{_KERNELS}/activation_ops.c", _ACTIVATION_OPS),
            Replace(
                f"{_KERNELS}/BUILD",
                '        "bias_op.c",\n',
                '        "activation_ops.c",\n        "bias_op.c",\n',
            ),
            Replace(
                f"{_KERNELS}/register_kernels.h",
                "void TF_RegisterMatMulKernels(void);\n",
                "void TF_RegisterActivationKernels(void);\nvoid TF_RegisterMatMulKernels(void);\n",
            ),
            Replace(
                f"{_KERNELS}/register_kernels.c",
                "  TF_RegisterCwiseKernels();\n",
                "  TF_RegisterActivationKernels();\n  TF_RegisterCwiseKernels();\n",
            ),
            Replace(
                "tensorflow/core/ops/math_ops.def",
                "Square x\n",
                "Relu features\nReluGrad gradients features\nSquare x\n",
            ),
        ),
    ),
    Commit(
        "Dense layers take an activation",
        people.BJORN,
        "2024-03-21T15:40:00+01:00",
        (
            Replace(
                f"{_KERAS}/layers/dense.py",
                "    def __init__(self, units):\n        self.units = units\n",
                "    def __init__(self, units, activation=None):\n"
                '        if activation not in (None, "relu"):\n'
                "            raise ValueError(\"the only activation is 'relu'\")\n"
                "        self.units = units\n"
                "        self.activation = activation\n"
                "        self._output = None\n",
            ),
            Replace(
                f"{_KERAS}/layers/dense.py",
                "        return gen_math_ops.bias_add(gen_math_ops.mat_mul(inputs, self.kernel),"
                " self.bias)\n",
                "        values = gen_math_ops.mat_mul(inputs, self.kernel)\n"
                "        self._output = gen_math_ops.bias_add(values, self.bias)\n"
                '        if self.activation == "relu":\n'
                "            self._output = gen_math_ops.relu(self._output)\n"
                "        return self._output\n",
            ),
            Replace(
                f"{_KERAS}/layers/dense.py",
                "        kernel_gradient =",
                '        if self.activation == "relu":\n'
                "            gradient = gen_math_ops.relu_grad(gradient, self._output)\n"
                "        kernel_gradient =",
            ),
        ),
    ),
    Commit(
        "Say what each group of kernels is for",
        people.GWEN,
        "2024-04-02T12:00:31+01:00",
        (
            Replace(f"{_KERNELS}/register_kernels.c", "/* Training. */", "/* Optimizers. */"),
            Replace(
                f"{_KERNELS}/register_kernels.c",
                "/* Linear algebra. */",
                "/* Linear algebra: what layers are made of. */",
            ),
        ),
    ),
    Commit(
        "Optimizers have names",
        people.ELENA,
        "2024-04-04T16:18:44+02:00",
        (
            Replace(
                f"{_KERAS}/optimizers/sgd.py",
                "    def __init__(self, learning_rate=0.01):\n",
                '    def __init__(self, learning_rate=0.01, name="SGD"):\n'
                "        self.name = name\n",
            ),
        ),
    ),
    Commit(
        "Accept device names in lower case",
        people.FARID,
        "2024-04-09T10:26:03+03:00",
        (
            Replace(
                "tensorflow/core/common_runtime/placer.c",
                "#include <string.h>\n",
                "#include <string.h>\n#include <strings.h>\n",
            ),
            Replace(
                "tensorflow/core/common_runtime/placer.c",
                "strcmp(device->name + full - length, requested)",
                "strcasecmp(device->name + full - length, requested)",
            ),
        ),
    ),
    Commit(
        "Tensors of zeros and ones",
        people.AMARA,
        "2024-04-11T11:45:00+01:00",
        (
            Replace(
                "tensorflow/python/framework/constant_op.py",
                "def convert_to_tensor(value):",
                "def fill(shape, value):\n"
                '    """A tensor of the given shape that holds one number everywhere."""\n'
                "    count = 1\n"
                "    for length in shape:\n"
                "        count *= length\n"
                '    return Tensor(struct.pack("<f", value) * count, tuple(shape), _HOST)\n\n\n'
                "def zeros(shape):\n"
                '    """A tensor of zeros."""\n'
                "    return fill(shape, 0.0)\n\n\n"
                "def ones(shape):\n"
                '    """A tensor of ones."""\n'
                "    return fill(shape, 1.0)\n\n\n"
                "def convert_to_tensor(value):",
            ),
            Replace(
                "tensorflow/__init__.py",
                "convert_to_tensor = constant_op.convert_to_tensor\n",
                "convert_to_tensor = constant_op.convert_to_tensor\n"
                "ones = constant_op.ones\nzeros = constant_op.zeros\n",
            ),
        ),
    ),
)

_FROM_OUTSIDE = (
    Commit(
        "PR #62844: Say which line of an op definition is too long",
        people.GWEN,
        "2024-04-15T09:30:10+01:00",
        (
            Replace(
                "tensorflow/tools/op_gen/op_gen.c",
                "  while (fgets(line, sizeof(line), in)) Translate(line, out);\n",
                "  for (int number = 1; fgets(line, sizeof(line), in); ++number) {\n"
                "    if (strchr(line, '\\n') == NULL && !feof(in)) {\n"
                '      fprintf(stderr, "%s:%d: the line is too long\\n", argv[1], number);\n'
                "      return 1;\n"
                "    }\n"
                "    Translate(line, out);\n"
                "  }\n",
            ),
        ),
        body=pull_request(62844),
    ),
    Commit(
        "PR #63012: Give zeros for the bias gradient of an empty batch",
        people.HUGO,
        "2024-04-18T18:05:47+02:00",
        (
            Replace(
                f"{_KERNELS}/bias_op.c",
                "    float sum = inputs[0].data[column];\n"
                "    for (int64_t row = 1; row < rows; ++row)",
                "    float sum = 0;\n    for (int64_t row = 0; row < rows; ++row)",
            ),
        ),
        body=pull_request(63012),
    ),
    Commit(
        "PR #62901: Sum in the order of memory",
        people.DARIUS,
        "2024-04-22T08:15:00+03:00",
        (
            Replace(
                f"{_KERNELS}/reduction_ops.c",
                "  for (int64_t i = 0; i < count; ++i) total += tensor->data[i];\n",
                "  const float *end = tensor->data + count;\n"
                "  for (const float *at = tensor->data; at < end; ++at) total += *at;\n",
            ),
        ),
        body=pull_request(62901),
    ),
    Commit(
        "PR #63150: Let tests ask for oneDNN",
        people.FARID,
        "2024-04-25T14:22:36+03:00",
        (
            Replace(
                "tensorflow/python/framework/test_util.py",
                "    return _pywrap_util_port.IsBuiltWithXLA()\n",
                "    return _pywrap_util_port.IsBuiltWithXLA()\n\n\n"
                "def is_built_with_mkl():\n"
                '    """Whether oneDNN, once called MKL-DNN, is compiled in."""\n'
                "    return bool(_pywrap_util_port.IsMklEnabled())\n",
            ),
        ),
        body=pull_request(63150) + "\n\nThe reviewer asked for oneDNN's new name.",
    ),
    Commit(
        "Quote the paths in rename_wheels.sh",
        people.DARIUS,
        "2024-04-29T10:10:10+03:00",
        (
            Replace(f"{_CI}/rename_wheels.sh", "cd $1\n", 'cd "$1"\n'),
            Replace(f"{_CI}/rename_wheels.sh", "  case $wheel in\n", '  case "$wheel" in\n'),
            Replace(f"{_CI}/rename_wheels.sh", "$(echo $wheel |", '$(echo "$wheel" |'),
            Replace(f"{_CI}/rename_wheels.sh", "mv $wheel $published", 'mv "$wheel" "$published"'),
        ),
    ),
    Commit(
        "Quote the paths in verify_wheel.sh",
        people.DARIUS,
        "2024-05-02T10:12:55+03:00",
        (Replace(f"{_CI}/verify_wheel.sh", "(wc -c < $1)", '(wc -c < "$1")'),),
    ),
)

_TIDYING = (
    Commit(
        "Move the wrapper of port.h into a folder of its own",
        people.AMARA,
        "2024-05-06T09:05:00+02:00",
        (
            Move(
                "tensorflow/python/util/util_port_wrapper.c",
                "tensorflow/python/util/port/util_port_wrapper.c",
            ),
            Replace(
                "tensorflow/python/BUILD",
                "util/util_port_wrapper.c",
                "util/port/util_port_wrapper.c",
            ),
        ),
    ),
    Commit(
        "Move the delegates out of experimental",
        people.HUGO,
        "2024-05-08T17:30:29+02:00",
        (Move("tensorflow/lite/experimental/delegates", "tensorflow/lite/core/delegates"),),
    ),
    Commit(
        "Delegates tell their version",
        people.HUGO,
        "2024-05-13T15:01:00+02:00",
        (
            Replace(
                "tensorflow/lite/core/delegates/delegate.h",
                "  const char *name;\n",
                "  const char *name;\n  int version;\n",
            ),
            Replace(
                "tensorflow/lite/core/delegates/coreml.c",
                '{"coreml", Prepare}',
                '{"coreml", 1, Prepare}',
            ),
            Replace(
                "tensorflow/lite/core/delegates/nnapi.c",
                '{"nnapi", Prepare}',
                '{"nnapi", 1, Prepare}',
            ),
        ),
    ),
    Commit(
        "Build the wheel by one target",
        people.BJORN,
        "2024-05-16T12:12:12+02:00",
        wheel_target.EDITS,
        body="`//tensorflow/tools/pip_package:wheel` writes wheel_house/*.whl.\n"
        "Nothing has to be run after the build. The script stays for one release.",
    ),
    Commit(
        "Give the guide to installing a folder",
        people.CHIYO,
        "2024-05-20T10:00:00+09:00",
        (Move("tensorflow/g3doc/install.md", "tensorflow/g3doc/install/source.md"),),
    ),
    Commit(
        "The guide builds the wheel by its target",
        people.CHIYO,
        "2024-05-21T10:45:18+09:00",
        (
            Replace(
                "tensorflow/g3doc/install/source.md",
                "    bazel build //tensorflow/tools/pip_package:build_pip_package\n"
                "    bazel-bin/tensorflow/tools/pip_package/build_pip_package /tmp/wheel\n",
                "    bazel build //tensorflow/tools/pip_package:wheel\n",
            ),
            Replace(
                "tensorflow/g3doc/install/source.md",
                "pip install /tmp/wheel/*.whl",
                "pip install bazel-bin/tensorflow/tools/pip_package/wheel_house/*.whl",
            ),
        ),
    ),
    Commit(
        "Install Python's venv on the build machines",
        people.DARIUS,
        "2024-05-23T13:14:15+03:00",
        (
            Replace(
                f"{_CI}/install_deps.sh",
                "apt-get install --yes python3\n",
                "apt-get install --yes python3 python3-venv\n",
            ),
        ),
    ),
    Commit(
        "Windows: Prepare Python 3.12",
        people.GWEN,
        "2024-05-28T09:09:09+01:00",
        (
            Replace(
                f"{_CI}/setup_windows.bat",
                "set PYTHON_VERSION=3.11\r\n",
                "set PYTHON_VERSION=3.12\r\n",
            ),
        ),
    ),
    Commit(
        "The example of a line prints the line",
        people.ELENA,
        "2024-06-03T16:44:00+02:00",
        (
            Replace(
                "tensorflow/examples/linear_fit.py",
                'print(history.history["loss"][-1])\n',
                'print("loss:", history.history["loss"][-1])\n'
                'print("at 5:", model([[5.0]]).numpy())\n',
            ),
        ),
    ),
    Commit(
        "Update oneDNN to 3.4.2",
        people.FARID,
        "2024-06-06T11:11:11+03:00",
        (
            Replace(
                "third_party/onednn/include/dnnl_version.h",
                "VERSION_MINOR 2\n#define DNNL_VERSION_PATCH 1",
                "VERSION_MINOR 4\n#define DNNL_VERSION_PATCH 2",
            ),
        ),
    ),
    Commit(
        "Drop the package that nothing imports",
        people.AMARA,
        "2024-06-10T10:10:00+02:00",
        (
            Delete("tensorflow/python/lib/__init__.py"),
            Delete("tensorflow/python/lib/core/__init__.py"),
        ),
    ),
    Commit(
        "Open the release notes for 2.17",
        people.RELEASES,
        "2024-06-12T08:00:00-07:00",
        (
            Replace(
                "RELEASE.md",
                "# Release 2.16.0\n",
                "# Release 2.17.0\n\n## Major features\n\n"
                "* `Relu`, and layers with an activation.\n"
                "* `//tensorflow/tools/pip_package:wheel` builds the wheel.\n\n"
                "# Release 2.16.0\n",
            ),
            Replace(
                "RELEASE.md",
                "* Dense layers train by gradient descent.\n",
                "* Dense layers train by gradient descent.\n"
                "* Every tensor names the device that computed it.\n",
            ),
        ),
    ),
)

HISTORY = (
    *_NEW_OPS,
    *_FROM_OUTSIDE,
    *_TIDYING,
    Release(
        "r2.17",
        "v2.17.0",
        (
            Commit(
                "Update the release notes for 2.17.0",
                people.RELEASES,
                "2024-07-11T16:00:00-07:00",
                (
                    Replace(
                        "RELEASE.md",
                        "* `//tensorflow/tools/pip_package:wheel` builds the wheel.\n",
                        "* `//tensorflow/tools/pip_package:wheel` builds the wheel.\n"
                        "* `tf.ones` and `tf.zeros`.\n",
                    ),
                ),
            ),
        ),
    ),
)
"""Commits to `main`, and the release branch where it leaves it."""
