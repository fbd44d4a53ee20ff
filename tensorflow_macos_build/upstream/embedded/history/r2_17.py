"""From the branch of 2.16 to the release 2.17.0: new ops, and the wheel as a target."""

from tensorflow_macos_build.upstream.embedded.edits import (
    Delete,
    EmbeddedCommit,
    EmbeddedRelease,
    Move,
    Replace,
)
from tensorflow_macos_build.upstream.embedded.history import people, r2_17_ops, wheel_target

_CI = "tensorflow/tools/ci_build"

_TIDYING = (
    EmbeddedCommit(
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
    EmbeddedCommit(
        "Move the delegates out of experimental",
        people.HUGO,
        "2024-05-08T17:30:29+02:00",
        (Move("tensorflow/lite/experimental/delegates", "tensorflow/lite/core/delegates"),),
    ),
    EmbeddedCommit(
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
    EmbeddedCommit(
        "Build the wheel by one target",
        people.BJORN,
        "2024-05-16T12:12:12+02:00",
        wheel_target.EDITS,
        body="`//tensorflow/tools/pip_package:wheel` writes wheel_house/*.whl.\n"
        "Nothing has to be run after the build. The script stays for one release.",
    ),
    EmbeddedCommit(
        "Give the guide to installing a folder",
        people.CHIYO,
        "2024-05-20T10:00:00+09:00",
        (Move("tensorflow/g3doc/install.md", "tensorflow/g3doc/install/source.md"),),
    ),
    EmbeddedCommit(
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
    EmbeddedCommit(
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
    EmbeddedCommit(
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
    EmbeddedCommit(
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
    EmbeddedCommit(
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
    EmbeddedCommit(
        "Drop the package that nothing imports",
        people.AMARA,
        "2024-06-10T10:10:00+02:00",
        (
            Delete("tensorflow/python/lib/__init__.py"),
            Delete("tensorflow/python/lib/core/__init__.py"),
        ),
    ),
    EmbeddedCommit(
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
    *r2_17_ops.NEW_OPS,
    *r2_17_ops.PULL_REQUESTS,
    *_TIDYING,
    EmbeddedRelease(
        "r2.17",
        "v2.17.0",
        (
            EmbeddedCommit(
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
