"""How far a queue is behind: which upstream is asked, from whatever folder."""

import shutil
from pathlib import Path

import pytest

from tensorflow_macos_build import checkout
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue.queue import behind
from tensorflow_macos_build.patchqueue.queue.behind import StatusRequest
from tests.fork import DEMO


@pytest.mark.parametrize(
    ("typed", "opened"), [("", "checkout/mirror"), ("mirror", "checkout/sub/mirror")]
)
def test_a_queues_upstream_counts_from_the_checkout_and_a_typed_one_from_here(
    typed: str, opened: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "checkout"
    queue = shutil.copytree(DEMO, root / "patches/demo")
    written = (queue / "queue.yaml").read_text()
    (queue / "queue.yaml").write_text(written.replace("'embedded:'", "mirror"))
    for folder in (root / "mirror", root / "sub/mirror"):
        folder.mkdir(parents=True)
    monkeypatch.setattr(checkout, "_ROOT", str(root))
    monkeypatch.chdir(root / "sub")
    with pytest.raises(UsageError, match="not a git repository") as raised:
        behind.status(StatusRequest(tmp_path / "cache", queue, typed))
    assert raised.value.where == str(tmp_path / opened)
