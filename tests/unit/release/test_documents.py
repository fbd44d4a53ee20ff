"""The documents of a release: what they hold, what is refused, and who else accepts them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tensorflow_macos_build import documents
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.release import checksums, model, notes, provenance, sbom
from tensorflow_macos_build.release.model import FileKind, Gate, GateOutcome, Manifest, ReleaseFile
from tensorflow_macos_build.release.sbom import (
    AppliedPatch,
    AppliedPick,
    ExternalArchive,
    Materials,
    PatchKind,
)
from tensorflow_macos_build.release.targets import WheelTarget

SHA = "0123456789abcdef" * 4
WHEEL = ReleaseFile("tensorflow-2.17.0-cp311-cp311-macosx_12_0_arm64.whl", 5, SHA, FileKind.WHEEL)
MATERIALS = Materials(
    project="tensorflow",
    version="2.17.0",
    upstream="https://github.com/tensorflow/tensorflow.git",
    ref="v2.17.0",
    commit="0123456789" * 4,
    patches=(AppliedPatch("patches/demo/00100-é & more.patch", PatchKind.BACKPORT, SHA),),
    picks=(AppliedPick("pull-126377", "9876543210" * 4, "https://github.com/x/y"),),
    archives=(
        ExternalArchive(
            "eigen_archive",
            ("https://gitlab.com/libeigen/eigen.tar.gz",),
            SHA,
            ("tensorflow/libtensorflow_cc.2.dylib", "tensorflow/python/_pywrap.so"),
        ),
        ExternalArchive("local_config_python"),
    ),
    tool="0.1.0",
)
MANIFEST = Manifest(
    release="demo",
    tag="v2.17.0",
    project="tensorflow",
    version="2.17.0",
    upstream={"url": "embedded:", "ref": "v2.17.0", "commit": "0123456789" * 4},
    tool={"version": "0.1.0", "commit": ""},
    gates=(Gate("smoked", GateOutcome.WAIVED, "no Mac"),),
    files=(WHEEL,),
)


def test_cyclonedx_accepts_a_bill_and_refuses_one_that_is_none() -> None:
    judge = JsonStrictValidator(SchemaVersion.V1_6)
    text = sbom.content(MATERIALS).decode()
    assert judge.validate_str(text) is None
    assert judge.validate_str(text.replace('"backport"', '"stolen"')) is not None


def test_archives_of_one_name_are_told_apart() -> None:
    eigen, *_ = MATERIALS.archives
    bill = replace(MATERIALS, archives=(eigen, replace(eigen, sha256=SHA[::-1], urls=())))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(sbom.content(bill).decode()) is None
    refs = [row["bom-ref"] for row in sbom.bill(bill)["components"]]
    assert len(set(refs)) == 2


def test_a_bill_names_patches_picks_and_what_is_linked_into_what() -> None:
    bill = sbom.bill(MATERIALS)
    pedigree = bill["metadata"]["component"]["pedigree"]
    assert pedigree["ancestors"][0]["purl"] == (
        f"pkg:github/tensorflow/tensorflow@{MATERIALS.commit}"
    )
    assert [commit["uid"] for commit in pedigree["commits"]] == [MATERIALS.picks[0].commit]
    assert pedigree["patches"][0]["type"] == "backport"
    eigen = bill["components"][0]
    assert [where["location"] for where in eigen["evidence"]["occurrences"]] == list(
        MATERIALS.archives[0].linked_into
    )
    assert eigen["hashes"][0]["content"] == SHA
    assert [row["value"] for row in bill["components"][1]["properties"]] == [
        "the address",
        "the SHA-256",
    ]
    incomplete = sbom.bill(replace(MATERIALS, unknown=("arm64: what is linked into a.so",)))
    assert incomplete["metadata"]["component"]["properties"][-1]["value"].endswith("a.so")


def test_the_same_materials_make_the_same_bytes_and_others_another_serial_number() -> None:
    other = replace(MATERIALS, archives=())
    assert sbom.content(MATERIALS) == sbom.content(replace(MATERIALS))
    assert sbom.bill(other)["serialNumber"] != sbom.bill(MATERIALS)["serialNumber"]


def test_a_manifest_comes_back_as_it_was() -> None:
    content = documents.dumps(model.as_document(MANIFEST)).encode()
    assert model.parse(content) == MANIFEST


@pytest.mark.parametrize("name", ["../x", "a b", "", ".hidden", "a/b", "x.", "ä.whl"])
def test_a_manifest_with_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    hostile = replace(MANIFEST, files=(replace(WHEEL, name=name),))
    with pytest.raises(model.ReleaseBroken):
        model.parse(documents.dumps(model.as_document(hostile)).encode())


TAGS = pytest.mark.parametrize("tag", ["", "a b", "-x", "x..y", "x.lock", "a/b", "v1."])


@TAGS
def test_what_is_no_tag_is_refused(tag: str) -> None:
    with pytest.raises(UsageError, match="no tag"):
        model.check_tag(tag)
    with pytest.raises(model.ReleaseBroken, match="no tag"):
        model.parse(documents.dumps(model.as_document(replace(MANIFEST, tag=tag))).encode())


def test_checksums_come_back_and_doubtful_lines_are_refused() -> None:
    sums = {"b.whl": SHA, "a.whl": SHA[::-1]}
    text = checksums.format_sums(sums)
    assert checksums.parse_sums(text) == sums
    for wrong in (f"{SHA} x", f"{SHA}  ../x", text + text, "x", "", text.replace("\n", "\f", 1)):
        with pytest.raises(model.ReleaseBroken):
            checksums.parse_sums(wrong)


def test_a_statement_names_its_wheels_and_another_shape_is_refused() -> None:
    origin = provenance.BuildOrigin(
        parameters={"name": "demo"},
        upstream=MANIFEST.upstream,
        queue="demo",
        queue_files={"series": SHA},
        tree="0" * 40,
        builder={"bazel": "7.7.0"},
        tool_commit="1" * 40,
        thin_wheels={"x.whl": SHA},
        caches=[{"wheel": "x.whl", "actions": 3, "cache_hits": 1}],
    )
    statement: dict[str, Any] = provenance.statement([WHEEL], origin)
    assert provenance.parse(json.dumps(statement).encode()).subjects() == {WHEEL.name: SHA}
    for wrong in ({**statement, "subject": []}, {**statement, "_type": "x"}, {}):
        with pytest.raises(model.ReleaseBroken):
            provenance.parse(json.dumps(wrong).encode())


def test_notes_tell_what_changed_in_words_and_show_hostile_text_as_text() -> None:
    facts = notes.NoteFacts(
        title="tensorflow v2.17.0",
        upstream=("https://github.com/tensorflow/tensorflow", "v2.17.0", "0" * 40),
        since="v1:patches/demo",
        changes=(
            notes.PatchChange("Keep it", "same"),
            notes.PatchChange("<script> | `x`\n# y @everyone", "changed", 2, 1),
            notes.PatchChange("New one", "added"),
            notes.PatchChange("Old one", "removed"),
        ),
        wheels=(WheelTarget(WHEEL, "cp311", ("Apple silicon, macOS 12.0 or later",)),),
        gates=(Gate("smoked", GateOutcome.WAIVED, "no Mac"),),
        smoke=(),
    )
    text = notes.markdown(facts)
    assert (
        "- Changed: \\<script\\> \\| \\`x\\` \\# y \\@everyone (+2 -1 lines of the patch)" in text
    )
    assert "- New: New one\n- Gone: Old one\n- 1 is as before." in text
    assert "- smoked (waived): no Mac" in text
    assert SHA in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("- a", "\\- a"),
        ("+ a", "\\+ a"),
        ("12. a", "12\\. a"),
        ("1) a", "1\\) a"),
        ("--", "\\--"),
        ("1.5 is enough", "1.5 is enough"),
    ],
)
def test_a_subject_does_not_begin_a_list_of_its_own(text: str, shown: str) -> None:
    assert notes.escaped(text) == shown
