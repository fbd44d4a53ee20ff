"""Invoke tasks: flags in, one call, a result out."""

import invoke

from tensorflow_macos_build.tasks import config

namespace = invoke.Collection()
"""Every task of the tool, under the names that the command line uses."""

namespace.add_collection(config.namespace)
