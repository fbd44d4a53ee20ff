"""The tasks about a patch queue, under the name `patches`."""

from __future__ import annotations

import invoke

from tensorflow_macos_build.tasks import review

namespace = invoke.Collection("patches")
namespace.add_task(review.lint)
namespace.add_task(review.report)
