"""The version, and the macros that the BUILD files share."""

load("//third_party/zig:cc.bzl", "zig_library", "zig_shared_library")

# Keep in step with core/public/version.h.
VERSION = "2.16.0"
VERSION_MAJOR = VERSION.split(".")[0]

def tf_framework_library(name, deps):
    """The library that every extension module binds to."""
    zig_shared_library(
        name = name,
        macos_name = "libtensorflow_framework.%s.dylib" % VERSION_MAJOR,
        linux_name = "libtensorflow_framework.so.%s" % VERSION_MAJOR,
        deps = deps,
    )

def pywrap_tensorflow_extension(name, srcs, rpaths, deps, hdrs = []):
    """An extension module of CPython, `NAME.so` on every system as in every release."""
    zig_library(
        name = name + "_objects",
        srcs = srcs,
        hdrs = hdrs,
        deps = deps,
    )
    zig_shared_library(
        name = name,
        macos_name = name + ".so",
        linux_name = name + ".so",
        rpaths = rpaths,
        python_extension = True,
        deps = [":%s_objects" % name] + deps,
    )
