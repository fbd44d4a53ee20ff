"""The first half of the way to 2.17.0: new ops, and what came as pull requests."""

from tensorflow_macos_build.upstream.embedded.edits import EmbeddedCommit, Replace, Write
from tensorflow_macos_build.upstream.embedded.history import people

_CI = "tensorflow/tools/ci_build"
_KERNELS = "tensorflow/core/kernels"
_KERAS = "tensorflow/python/keras"


def _pull_request(number: int) -> str:
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

NEW_OPS = (
    EmbeddedCommit(
        "Bump the version to 2.17.0 after the branch cut",
        people.RELEASES,
        "2024-03-08T09:00:00-08:00",
        (
            Replace("tensorflow/core/public/version.h", "MINOR_VERSION 16", "MINOR_VERSION 17"),
            Replace("tensorflow/tensorflow.bzl", 'VERSION = "2.16.0"', 'VERSION = "2.17.0"'),
        ),
    ),
    EmbeddedCommit(
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
    EmbeddedCommit(
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
    EmbeddedCommit(
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
    EmbeddedCommit(
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
    EmbeddedCommit(
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
    EmbeddedCommit(
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
    EmbeddedCommit(
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

PULL_REQUESTS = (
    EmbeddedCommit(
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
        body=_pull_request(62844),
    ),
    EmbeddedCommit(
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
        body=_pull_request(63012),
    ),
    EmbeddedCommit(
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
        body=_pull_request(62901),
    ),
    EmbeddedCommit(
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
        body=_pull_request(63150) + "\n\nThe reviewer asked for oneDNN's new name.",
    ),
    EmbeddedCommit(
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
    EmbeddedCommit(
        "Quote the paths in verify_wheel.sh",
        people.DARIUS,
        "2024-05-02T10:12:55+03:00",
        (Replace(f"{_CI}/verify_wheel.sh", "(wc -c < $1)", '(wc -c < "$1")'),),
    ),
)
