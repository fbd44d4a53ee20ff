"""Every view, with the arguments of some calls; those that make pages call `pages.render`."""

from __future__ import annotations

from tests.view_samples import builds, queues, releases, trials, wheels

CALLS = {**builds.CALLS, **queues.CALLS, **wheels.CALLS, **trials.CALLS, **releases.CALLS}
