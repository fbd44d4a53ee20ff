"""From the import to the release 2.16.0."""

from tensorflow_macos_build.upstream.embedded import source_tree
from tensorflow_macos_build.upstream.embedded.edits import (
    EmbeddedCommit,
    EmbeddedRelease,
    Mode,
    Plant,
    Replace,
    Write,
)
from tensorflow_macos_build.upstream.embedded.history import people

_RELEASE_NOTES = """\
# Release 2.16.0

## Major features

* Dense layers train by gradient descent.

## Known issues

* Convolutions are not supported.
* Variables cannot be saved.

# Release 2.15.0

* The first release of the miniature.
"""

_RENAME_WHEELS = """\
#!/bin/sh
# Gives each wheel in a folder the name under which it is published.
# Usage: rename_wheels.sh FOLDER VERSION
set -eu
cd $1
for wheel in *.whl; do
  case $wheel in
    *-$2-*) continue ;;
  esac
  published=$(echo $wheel | sed "s/-[^-]*-/-$2-/")
  mv $wheel $published
done
"""

_VERIFY_WHEEL = """\
#!/bin/sh
# Checks that a wheel is not larger than the index takes.
# Usage: verify_wheel.sh WHEEL
set -eu
size=$(wc -c < $1)
if [ $size -gt 240000000 ]; then
  echo "$1 is too large: $size bytes"
  exit 1
fi
"""

_UPLOAD_WHEEL = """\
#!/bin/sh
# Puts a wheel into the folder that is published.
# Usage: upload_wheel.sh WHEEL FOLDER
set -eu
mkdir -p $2
cp $1 $2
"""

_INSTALL_DEPS = """\
#!/bin/sh
# Installs what the build needs on a Debian machine.
set -eu
apt-get update
apt-get install --yes git
apt-get install --yes python3
apt-get install --yes bazel-bootstrap
"""

_WINDOWS = (
    "@echo off\r\n"
    "rem Prepares a Windows machine.\r\n"
    "\r\n"
    "set PYTHON_VERSION=3.11\r\n"
    "set BAZEL_VERSION=6.5.0\r\n"
    "\r\n"
    "echo Preparing Python %PYTHON_VERSION%\r\n"
    "call :install python %PYTHON_VERSION%\r\n"
    "call :install bazel %BAZEL_VERSION%\r\n"
    "exit /b 0\r\n"
)

_INSTALL_GUIDE = """\
# Build from source

## Before the build

Install git, Python 3.9 or newer, and Bazel 6.

## Configure

Run `./configure`. It asks how to build.

## Build

    bazel build //tensorflow/tools/pip_package:build_pip_package
    bazel-bin/tensorflow/tools/pip_package/build_pip_package /tmp/wheel

## Install

    pip install /tmp/wheel/*.whl

## When it fails

The first error that Bazel prints is the one to read; those after it are often its consequences.
A machine with little memory builds with `--jobs=1`. `bazel clean` is seldom of use, and costs a
whole build. A compiler that is not found is a matter of `./configure`: run it again.

## Test

Import the package from another folder than the sources, or Python finds the sources instead.
"""

_FIRST_STEPS_JA = """\
# はじめに

TensorFlow のミニチュアです。

## インストール

`pip install` でホイールを入れます。

## 学習

`tf.keras.Sequential` を使います。
"""

_DELEGATE_H = """\
/* A delegate runs parts of a model on another device. */
#ifndef TENSORFLOW_LITE_DELEGATE_H_
#define TENSORFLOW_LITE_DELEGATE_H_

typedef struct TfLiteDelegate {
  const char *name;
  int (*prepare)(void);
} TfLiteDelegate;

#endif /* TENSORFLOW_LITE_DELEGATE_H_ */
"""

_COREML_C = """\
#include "delegate.h"

/* Core ML is not part of this miniature. */
static int Prepare(void) { return 0; }

const TfLiteDelegate coreml_delegate = {"coreml", Prepare};
"""

_NNAPI_C = """\
#include "delegate.h"

/* NNAPI is not part of this miniature. */
static int Prepare(void) { return 0; }

const TfLiteDelegate nnapi_delegate = {"nnapi", Prepare};
"""

_SAXPY = """\
\"\"\"a * x + y, by TensorFlow.\"\"\"

import tensorflow as tf

a = tf.constant(2.0)
x = tf.constant([1.0, 2.0, 3.0])
y = tf.constant([4.0, 5.0, 6.0])

print(tf.add(tf.multiply(a, x), y).numpy())
"""

_LINEAR_FIT = """\
\"\"\"Fits a line to five points.\"\"\"

import tensorflow as tf

inputs = [[0.0], [1.0], [2.0], [3.0], [4.0]]
targets = [[1.0], [3.0], [5.0], [7.0], [9.0]]

model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
model.compile(optimizer=tf.keras.optimizers.SGD(0.05), loss="mse")
history = model.fit(inputs, targets, epochs=100)

print(history.history["loss"][-1])
"""

_ICON = bytes.fromhex("89504e470d0a1a0a") + bytes(range(256))
"""Not an image that a viewer shows; git takes it as binary, for it holds NULs."""

_CI = "tensorflow/tools/ci_build"

HISTORY = (
    EmbeddedCommit(
        "Import TensorFlow in miniature",
        people.AMARA,
        "2023-11-06T10:02:11+01:00",
        (Plant(source_tree.read),),
        body="The layout, the build and the names are TensorFlow's; the computation is small.",
    ),
    EmbeddedCommit(
        "Add the release notes",
        people.RELEASES,
        "2023-11-14T08:30:00-08:00",
        (Write("RELEASE.md", _RELEASE_NOTES),),
    ),
    EmbeddedCommit(
        "Add the scripts of the nightly build",
        people.DARIUS,
        "2023-11-20T17:45:39+02:00",
        (
            Write(f"{_CI}/install_deps.sh", _INSTALL_DEPS),
            Write(f"{_CI}/rename_wheels.sh", _RENAME_WHEELS, Mode.EXECUTABLE),
            Write(f"{_CI}/verify_wheel.sh", _VERIFY_WHEEL, Mode.EXECUTABLE),
            Write(f"{_CI}/upload_wheel.sh", _UPLOAD_WHEEL, Mode.EXECUTABLE),
            Write(f"{_CI}/setup_windows.bat", _WINDOWS),
            Write(f"{_CI}/image.txt", "debian:12"),
        ),
    ),
    EmbeddedCommit(
        "Add the guides",
        people.CHIYO,
        "2023-12-01T11:20:05+09:00",
        (
            Write("tensorflow/g3doc/install.md", _INSTALL_GUIDE),
            Write("tensorflow/g3doc/ja/はじめに.md", _FIRST_STEPS_JA),
            Write("tensorflow/g3doc/icon.png", _ICON),
        ),
    ),
    EmbeddedCommit(
        "Add the delegates of TensorFlow Lite",
        people.HUGO,
        "2023-12-12T14:08:52+01:00",
        (
            Write("tensorflow/lite/experimental/delegates/delegate.h", _DELEGATE_H),
            Write("tensorflow/lite/experimental/delegates/coreml.c", _COREML_C),
            Write("tensorflow/lite/experimental/delegates/nnapi.c", _NNAPI_C),
        ),
    ),
    EmbeddedCommit(
        "Add examples",
        people.ELENA,
        "2024-01-15T09:55:27+01:00",
        (
            Write("tensorflow/examples/saxpy.py", _SAXPY),
            Write("tensorflow/examples/linear_fit.py", _LINEAR_FIT),
        ),
    ),
    EmbeddedRelease(
        "r2.16",
        "v2.16.0",
        (
            EmbeddedCommit(
                "Update the release notes for 2.16.0",
                people.RELEASES,
                "2024-03-07T16:00:00-08:00",
                (
                    Replace(
                        "RELEASE.md",
                        "* Dense layers train by gradient descent.\n",
                        "* Dense layers train by gradient descent.\n"
                        "* Every tensor names the device that computed it.\n",
                    ),
                ),
            ),
        ),
    ),
)
"""Commits to `main`, and the release branch where it leaves it."""
