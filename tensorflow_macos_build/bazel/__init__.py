"""Driving Bazel: invocations, the build event stream, outputs and failures."""
