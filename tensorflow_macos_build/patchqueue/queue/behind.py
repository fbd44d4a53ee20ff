"""How far a queue's base is behind its upstream's releases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build import checkout
from tensorflow_macos_build.console import silent
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue.queue import storage
from tensorflow_macos_build.upstream import mirror, releases

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.upstream.mirror import Mirror
    from tensorflow_macos_build.upstream.releases import UpstreamStatus


@dataclass(frozen=True)
class StatusRequest:
    """Which upstream is asked, and which commit is compared with its releases.

    Attributes:
        cache: the folder that holds the mirrors.
        queue: the folder of the queue whose upstream and base are meant; None: of no queue.
        upstream: the repository, a path, an address or `embedded:`; "": the queue's.
        base: a commit, tag or branch; "": the queue's.
    """

    cache: Path
    queue: Path | None = None
    upstream: str = ""
    base: str = ""


def status(request: StatusRequest, ticker: Ticker = silent) -> tuple[UpstreamStatus, Mirror]:
    """Open an upstream and compare its releases with a base; return also its mirror.

    Raises:
        UsageError: neither a queue is named nor both of the others, or there is no such thing.
        transfer.Unreachable: the upstream's server could not be asked.
    """
    # what was typed counts from the caller's folder, and a path in queue.yaml from the checkout
    upstream = request.upstream and checkout.recorded(request.upstream)
    base, called = request.base, request.base
    if request.queue is not None:
        own = storage.load_base(request.queue)
        upstream = upstream or own.upstream
        # the recorded id is what is compared: a branch, or even a tag, may name another commit by
        # now
        base, called = base or own.commit, base or own.ref
    if not upstream or not base:
        raise UsageError(
            "neither a queue is given nor an upstream and a base",
            hint="give --queue NAME, or --upstream ADDRESS and --base REF",
        )
    opened = mirror.open(upstream, request.cache, ticker)
    return releases.status(opened, base, ticker, called=called), opened
