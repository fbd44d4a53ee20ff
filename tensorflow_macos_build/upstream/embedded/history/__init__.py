"""The miniature's history, release by release."""

from tensorflow_macos_build.upstream.embedded.history import r2_16, r2_17, r2_18

HISTORY = (*r2_16.HISTORY, *r2_17.HISTORY, *r2_18.HISTORY)
"""The whole history, oldest first."""
