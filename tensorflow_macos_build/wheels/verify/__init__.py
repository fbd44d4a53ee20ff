"""Verify a wheel for macOS on any host: what installers, dyld and the kernel will meet."""

from tensorflow_macos_build.wheels.verify.findings import Code, Finding, Severity
from tensorflow_macos_build.wheels.verify.run import Verification, VerifyOptions, verify

__all__ = ["Code", "Finding", "Severity", "Verification", "VerifyOptions", "verify"]
