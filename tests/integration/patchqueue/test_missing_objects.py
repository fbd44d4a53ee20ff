"""An upstream that lacks a blob: which one, in which repository, and what brings it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tensorflow_macos_build import documents
from tensorflow_macos_build.upstream import embedded
from tests import command_line

ROOT = Path(__file__).parents[3]
PLACER = "tensorflow/core/common_runtime/placer.c"


@pytest.fixture(scope="module")
def loose(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded upstream with a file for each object."""
    folder = tmp_path_factory.mktemp("upstream")
    packed = embedded.create(folder / "packed.git").git_dir
    loose = folder / "loose.git"
    clone = ["git", "clone", "--quiet", "--mirror", str(packed), str(loose)]
    subprocess.run(clone, check=True)
    shutil.rmtree(loose / "objects/pack")
    for pack in sorted((packed / "objects/pack").glob("*.pack")):
        with pack.open("rb") as stream:
            unpack = ["git", "-C", str(loose), "unpack-objects", "-q"]
            subprocess.run(unpack, stdin=stream, check=True)
    return loose


@pytest.mark.parametrize("revision", ["v2.16.0", "v2.17.0", "v2.18.0"])
def test_a_missing_blob_is_named_with_its_repository(
    loose: Path, tmp_path: Path, revision: str
) -> None:
    """git's merge-tree, diff-tree and cat-file each meet it, by the revision that has it."""
    upstream = tmp_path / "upstream.git"
    shutil.copytree(loose, upstream)
    name = ["git", "-C", str(upstream), "rev-parse", f"{revision}:{PLACER}"]
    blob = subprocess.run(name, check=True, capture_output=True, text=True).stdout.strip()
    (upstream / "objects" / blob[:2] / blob[2:]).unlink()
    queue = tmp_path / "queue"
    shutil.copytree(ROOT / "patches/demo", queue)
    base = (queue / "queue.yaml").read_text().replace("'embedded:'", str(upstream))
    (queue / "queue.yaml").write_text(base)

    flags = ["--queue", str(queue), "--onto", "v2.18.0", "--cache", str(tmp_path / "mirrors")]
    done = command_line.run("rebase", *flags, "--json")
    assert done.returncode == 1
    document = json.loads(done.stdout)
    documents.check(document)
    assert document["schema"]["name"] == "error"
    assert document["what"] == f"the object {blob} is missing in the repository"
    assert document["where"] == str(upstream)
    assert str(upstream) in document["hint"]
    assert document["what"] in done.stderr
    assert len("".join(command_line.messages(done, "rebase"))) < 600
