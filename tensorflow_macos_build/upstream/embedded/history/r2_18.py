"""From the branch of 2.17 to the release 2.18.0, and a little beyond: models, and clearing out."""

from tensorflow_macos_build.upstream.embedded.edits import (
    Cut,
    Delete,
    EmbeddedCommit,
    EmbeddedRelease,
    Mode,
    Move,
    Replace,
    SetMode,
    Write,
)
from tensorflow_macos_build.upstream.embedded.history import people

_CI = "tensorflow/tools/ci_build"
_KERNELS = "tensorflow/core/kernels"
_KERAS = "tensorflow/python/keras"
_PIP = "tensorflow/tools/pip_package"
_RUNTIME = "tensorflow/core/common_runtime"

_APPLE_GUIDE = """\
# TensorFlow on Macs

Wheels for Macs with Apple silicon need macOS 12. Wheels for Macs with an Intel processor are no
longer published.
"""

_NEW_ICON = bytes.fromhex("89504e470d0a1a0a") + bytes(range(255, -1, -1))

_RUNTIME_WORK = (
    EmbeddedCommit(
        "Bump the version to 2.18.0 after the branch cut",
        people.RELEASES,
        "2024-07-12T09:00:00-07:00",
        (
            Replace("tensorflow/core/public/version.h", "MINOR_VERSION 17", "MINOR_VERSION 18"),
            Replace("tensorflow/tensorflow.bzl", 'VERSION = "2.17.0"', 'VERSION = "2.18.0"'),
        ),
    ),
    EmbeddedCommit(
        "Add Neg",
        people.BJORN,
        "2024-07-16T10:20:30+02:00",
        (
            Replace(
                f"{_KERNELS}/cwise_ops.c",
                "static const TF_Kernel add =",
                "static void Neg(const TF_Attrs *attrs, const TF_Tensor *inputs, "
                "TF_Tensor *out) {\n"
                "  int64_t count = TF_NumElements(out);\n"
                "  for (int64_t i = 0; i < count; ++i) out->data[i] = -inputs[0].data[i];\n"
                "}\n\n"
                'static const TF_Kernel neg = {"Neg", "CPU", "UnaryOp<CPU, neg>", 1, '
                "UnaryShape, Neg};\n"
                "static const TF_Kernel add =",
            ),
            Replace(
                f"{_KERNELS}/cwise_ops.c",
                "  TF_RegisterKernel(&mul);\n",
                "  TF_RegisterKernel(&mul);\n  TF_RegisterKernel(&neg);\n",
            ),
            Replace(
                "tensorflow/core/ops/math_ops.def", "Relu features\n", "Neg x\nRelu features\n"
            ),
        ),
    ),
    EmbeddedCommit(
        "Look at a device's kernels only when its name fits",
        people.AMARA,
        "2024-07-23T14:00:05+02:00",
        (
            Replace(
                f"{_RUNTIME}/placer.c",
                "    const TF_Device *device = TF_GetDevice(number);\n"
                "    if (!NameMatches(device, requested)) continue;\n"
                "    const TF_Kernel *kernel = TF_FindKernel(op, device->type);\n"
                "    if (kernel == NULL) continue;\n"
                "    placement->device = device;\n",
                "    const TF_Device *device = TF_GetDevice(number);\n"
                "    const TF_Kernel *kernel = KernelOn(device, op, requested);\n"
                "    if (kernel == NULL) continue;\n"
                "    placement->device = device;\n",
            ),
            Replace(
                f"{_RUNTIME}/placer.c",
                "TF_Code TF_Place(",
                "static const TF_Kernel *KernelOn(const TF_Device *device, const char *op,\n"
                "                                 const char *requested) {\n"
                "  if (!NameMatches(device, requested)) return NULL;\n"
                "  return TF_FindKernel(op, device->type);\n"
                "}\n\n"
                "TF_Code TF_Place(",
            ),
        ),
    ),
    EmbeddedCommit(
        "Room for 16384 steps",
        people.FARID,
        "2024-07-25T09:41:00+03:00",
        (Replace(f"{_RUNTIME}/step_stats.h", "MAX_STEP_STATS 4096", "MAX_STEP_STATS 16384"),),
    ),
    EmbeddedCommit(
        'Revert "PR #62901: Sum in the order of memory"',
        people.AMARA,
        "2024-07-30T08:08:08+02:00",
        (
            Replace(
                f"{_KERNELS}/reduction_ops.c",
                "  const float *end = tensor->data + count;\n"
                "  for (const float *at = tensor->data; at < end; ++at) total += *at;\n",
                "  for (int64_t i = 0; i < count; ++i) total += tensor->data[i];\n",
            ),
        ),
        body="It was no faster.",
    ),
    EmbeddedCommit(
        "Step stats can be left alone",
        people.FARID,
        "2024-08-01T12:30:00+03:00",
        (
            Replace(
                "tensorflow/python/eager/context.py",
                "def step_stats():\n",
                "def clear_step_stats():\n"
                '    """Forget what ran."""\n'
                "    _pywrap_tensorflow_internal.step_stats()\n\n\n"
                "def step_stats():\n",
            ),
        ),
    ),
)

_KERAS_WORK = (
    EmbeddedCommit(
        "Give models a folder",
        people.ELENA,
        "2024-08-05T15:15:15+02:00",
        (
            Move(f"{_KERAS}/sequential.py", f"{_KERAS}/models/sequential.py"),
            Write(
                f"{_KERAS}/models/__init__.py",
                '"""Models."""\n\n'
                "from tensorflow.python.keras.models.sequential import Sequential\n\n"
                '__all__ = ["Sequential"]\n',
            ),
            Replace(
                f"{_KERAS}/__init__.py",
                "from tensorflow.python.keras import layers, optimizers\n"
                "from tensorflow.python.keras.sequential import Sequential\n\n"
                '__all__ = ["Sequential", "layers", "optimizers"]\n',
                "from tensorflow.python.keras import layers, models, optimizers\n"
                "from tensorflow.python.keras.models import Sequential\n\n"
                '__all__ = ["Sequential", "layers", "models", "optimizers"]\n',
            ),
        ),
    ),
    EmbeddedCommit(
        "Models evaluate",
        people.ELENA,
        "2024-08-07T10:00:00+02:00",
        (
            Replace(
                f"{_KERAS}/models/sequential.py",
                "    def train_on_batch(self",
                "    def evaluate(self, inputs, targets):\n"
                '        """The loss, without training."""\n'
                "        error = gen_math_ops.sub(self(inputs), targets)\n"
                "        return float(gen_math_ops.mean(gen_math_ops.square(error)))\n\n"
                "    def train_on_batch(self",
            ),
        ),
    ),
    EmbeddedCommit(
        "Refuse a learning rate that is not positive",
        people.ELENA,
        "2024-08-09T17:20:41+02:00",
        (
            Replace(
                f"{_KERAS}/optimizers/sgd.py",
                "        self.name = name\n",
                "        self.name = name\n"
                "        if learning_rate <= 0:\n"
                '            raise ValueError("the learning rate must be positive")\n',
            ),
        ),
    ),
    EmbeddedCommit(
        "fit tells its epochs apart",
        people.BJORN,
        "2024-08-12T11:00:00+02:00",
        (
            Replace(
                f"{_KERAS}/models/sequential.py",
                '        return History({"loss": [self.train_on_batch(inputs, targets)'
                " for _ in range(epochs)]})\n",
                "        losses = [self.train_on_batch(inputs, targets) for _ in range(epochs)]\n"
                '        return History({"epoch": list(range(epochs)), "loss": losses})\n',
            ),
            Replace(
                f"{_KERAS}/models/sequential.py",
                "gives the loss of each epoch.",
                "gives each epoch's loss.",
            ),
        ),
    ),
)

_CLEARING = (
    EmbeddedCommit(
        "Remove the saxpy example",
        people.ELENA,
        "2024-08-14T09:09:00+02:00",
        (Delete("tensorflow/examples/saxpy.py"),),
        body="The guide shows the same in fewer lines.",
    ),
    EmbeddedCommit(
        "Quote the paths in upload_wheel.sh",
        people.DARIUS,
        "2024-08-19T10:30:00+03:00",
        (
            Replace(f"{_CI}/upload_wheel.sh", "mkdir -p $2\n", 'mkdir -p "$2"\n'),
            Replace(f"{_CI}/upload_wheel.sh", "cp $1 $2\n", 'cp "$1" "$2"\n'),
        ),
    ),
    EmbeddedCommit(
        "Make install_deps.sh executable",
        people.DARIUS,
        "2024-08-20T10:00:00+03:00",
        (SetMode(f"{_CI}/install_deps.sh", Mode.EXECUTABLE),),
    ),
    EmbeddedCommit(
        "Remove build_pip_package",
        people.BJORN,
        "2024-08-22T12:00:00+02:00",
        (
            Replace(
                f"{_PIP}/BUILD",
                "tf_pip_package_script(\n"
                '    name = "build_pip_package",\n'
                '    builder = "build_wheel.py",\n'
                "    contents = _CONTENTS,\n"
                "    headers = _HEADERS,\n"
                '    license = "//:LICENSE",\n'
                ")\n\n",
                "",
            ),
            Replace(f"{_PIP}/BUILD", '"tf_pip_package_script", "tf_wheel"', '"tf_wheel"'),
            Cut(f"{_PIP}/wheel.bzl", "_SCRIPT = ", "def _wheel_impl("),
            Cut(f"{_PIP}/wheel.bzl", "\ntf_pip_package_script = rule("),
        ),
        body="`//tensorflow/tools/pip_package:wheel` has taken its place in 2.17.",
    ),
    EmbeddedCommit(
        "A new icon",
        people.CHIYO,
        "2024-08-26T13:00:00+09:00",
        (Write("tensorflow/g3doc/icon.png", _NEW_ICON),),
    ),
    EmbeddedCommit(
        "Say where TensorFlow runs on Macs",
        people.GWEN,
        "2024-08-28T09:00:00+01:00",
        (Write("tensorflow/g3doc/apple.md", _APPLE_GUIDE),),
    ),
    EmbeddedCommit(
        "はじめに: 評価について書く",
        people.CHIYO,
        "2024-09-02T14:30:00+09:00",
        (
            Replace(
                "tensorflow/g3doc/ja/はじめに.md",
                "`tf.keras.Sequential` を使います。\n",
                "`tf.keras.Sequential` を使います。\n\n## 評価\n\n`evaluate` が損失を返します。\n",
            ),
        ),
    ),
    EmbeddedCommit(
        "Build the images on Debian 13",
        people.DARIUS,
        "2024-09-05T08:45:00+03:00",
        (Write(f"{_CI}/image.txt", "debian:13"),),
    ),
    EmbeddedCommit(
        "Link the guide's newest page",
        people.CHIYO,
        "2024-09-09T11:00:00+09:00",
        (Write("tensorflow/g3doc/latest.md", "install/source.md", Mode.LINK),),
    ),
    EmbeddedCommit(
        "Open the release notes for 2.18",
        people.RELEASES,
        "2024-09-12T08:00:00-07:00",
        (
            Replace(
                "RELEASE.md",
                "# Release 2.17.0\n",
                "# Release 2.18.0\n\n## Breaking changes\n\n* `build_pip_package` is gone.\n\n"
                "# Release 2.17.0\n",
            ),
            Replace(
                "RELEASE.md",
                "* `//tensorflow/tools/pip_package:wheel` builds the wheel.\n",
                "* `//tensorflow/tools/pip_package:wheel` builds the wheel.\n"
                "* `tf.ones` and `tf.zeros`.\n",
            ),
        ),
    ),
)

_AFTER = (
    EmbeddedCommit(
        "Bump the version to 2.19.0 after the branch cut",
        people.RELEASES,
        "2024-10-25T09:00:00-07:00",
        (
            Replace("tensorflow/core/public/version.h", "MINOR_VERSION 18", "MINOR_VERSION 19"),
            Replace("tensorflow/tensorflow.bzl", 'VERSION = "2.18.0"', 'VERSION = "2.19.0"'),
        ),
    ),
    EmbeddedCommit(
        "Square is a product",
        people.BJORN,
        "2024-10-29T10:00:00+01:00",
        (
            Replace(
                "tensorflow/python/ops/math_ops.py",
                "    return gen_math_ops.square(x)\n",
                "    return gen_math_ops.mul(x, x)\n",
            ),
        ),
    ),
)

HISTORY = (
    *_RUNTIME_WORK,
    *_KERAS_WORK,
    *_CLEARING,
    EmbeddedRelease(
        "r2.18",
        "v2.18.0",
        (
            EmbeddedCommit(
                "Update the release notes for 2.18.0",
                people.RELEASES,
                "2024-10-24T16:00:00-07:00",
                (
                    Replace(
                        "RELEASE.md",
                        "* `build_pip_package` is gone.\n",
                        "* `build_pip_package` is gone.\n* Learning rates are positive.\n",
                    ),
                ),
            ),
        ),
    ),
    *_AFTER,
)
"""Commits to `main`, and the release branch where it leaves it."""
