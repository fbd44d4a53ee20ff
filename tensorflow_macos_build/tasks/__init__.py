"""Invoke tasks: flags in, one call, a result out."""

import invoke

namespace = invoke.Collection()
"""Every task of the tool, under the names that the command line uses."""
