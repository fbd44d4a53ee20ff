"""Wheelhouses from an index on this machine, judged by pip and uv for both kinds of Mac."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import uv

from tensorflow_macos_build import documents
from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.wheels.wheelhouse import EntryKind, build
from tensorflow_macos_build.wheels.wheelhouse.rules import known, parse_known_rule, read
from tests import command_line
from tests.wheel_shop import MACS, TAGS, Shop, metadata, options, task
from tests.wheelmaker import Thin

if TYPE_CHECKING:
    from tests.package_index import Index

ROOT = Path(__file__).parents[3]


def pip(wheelhouse: Path, arch: str, *requirements: str) -> list[str]:
    """Let pip decide what it would install on a Mac; return the file names."""
    report = wheelhouse.parent / f"report-{arch}.json"
    argv = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--isolated"),
        *(
            "--no-index",
            "--find-links",
            str(wheelhouse),
            "--only-binary",
            ":all:",
            "--report",
            str(report),
        ),
        *("--platform", MACS[arch], "--python-version", "3.11", "--implementation", "cp"),
        *(
            "--abi",
            "cp311",
            "--abi",
            "abi3",
            "--abi",
            "none",
            "--target",
            str(wheelhouse.parent / "t"),
        ),
    ]
    env = {**os.environ, "PIP_CONFIG_FILE": os.devnull}
    subprocess.run([*argv, *requirements], check=True, env=env)
    report_items = json.loads(report.read_text())["install"]
    return sorted(item["download_info"]["url"].rpartition("/")[2] for item in report_items)


def uv_resolves(wheelhouse: Path, arch: str, *requirements: str) -> list[str]:
    platform = {"arm64": "aarch64-apple-darwin", "x86_64": "x86_64-apple-darwin"}[arch]
    argv = [
        *(uv.find_uv_bin(), "pip", "compile", "-", "--quiet", "--no-config", "--no-header"),
        *("--no-annotate", "--no-index", "--find-links", str(wheelhouse), "--only-binary", ":all:"),
        *("--python", sys.executable, "--python-platform", platform, "--python-version", "3.11"),
    ]
    low = MACS[arch].split("_")
    env = {**os.environ, "MACOSX_DEPLOYMENT_TARGET": f"{low[1]}.{low[2]}"}
    done = subprocess.run(
        argv, input="\n".join(requirements), env=env, check=True, text=True, stdout=subprocess.PIPE
    )
    return sorted(line for line in done.stdout.splitlines() if not line.startswith("#"))


def test_every_kind_of_package_comes_in_and_installs_on_both_kinds_of_mac(
    shop: Shop, index: Index, tmp_path: Path
) -> None:
    needs = ["native", "uni", "mixed", 'intelonly ; platform_machine == "x86_64"']
    needs.append('mac ; sys_platform == "darwin" and platform_system == "Darwin"')
    shop.pure("app", "1.0", *needs, 'never ; sys_platform == "linux"')
    shop.pair("native", "1.0")
    shop.universal("uni", "2.0", tmp_path)
    shop.thin("mixed", "1.0", "x86_64")
    shop.pure("mixed", "1.0")
    shop.thin("intelonly", "1.0", "x86_64")
    shop.pure("mac", "1.0")
    shop.pure("never", "1.0")
    made = build(["app==1.0"], tmp_path / "wheelhouse", options(index, tmp_path))
    kinds = {(entry.name, entry.kind, entry.archs) for entry in made.wheels}
    both = ("arm64", "x86_64")
    assert kinds == {
        ("app", EntryKind.UNIVERSAL, both),
        ("native", EntryKind.FUSED, both),
        ("uni", EntryKind.UNIVERSAL, both),
        ("mixed", EntryKind.SIDE_BY_SIDE, ("x86_64",)),
        ("mixed", EntryKind.SIDE_BY_SIDE, both),
        ("intelonly", EntryKind.ONE_SIDED, ("x86_64",)),
        ("mac", EntryKind.UNIVERSAL, both),
    }
    native = "native-1.0-cp311-cp311-macosx_10_9_universal2.whl"
    for arch in MACS:
        assert native in pip(made.folder, arch, "native", "uni", "mixed", "mac")
        resolved = uv_resolves(made.folder, arch, "app==1.0")
        assert ("intelonly==1.0" in resolved) is (arch == "x86_64")
        assert {"app==1.0", "native==1.0", "uni==2.0", "mac==1.0"} <= set(resolved)
    lock = made.lock.read_text()
    assert 'intelonly==1.0 ; platform_machine == "x86_64"' in lock
    locked = pip(made.folder, "x86_64", "--require-hashes", "--no-deps", "-r", str(made.lock))
    assert native in locked


def test_the_lock_accepts_only_the_wheels_of_the_wheelhouse(
    shop: Shop, index: Index, tmp_path: Path
) -> None:
    shop.pair("native", "1.0")
    made = build(["native"], tmp_path / "wheelhouse", options(index, tmp_path))
    flags = ("--require-hashes", "-r", str(made.lock))
    for arch in MACS:
        assert len(pip(made.folder, arch, *flags)) == 1
    made.lock.write_text(made.lock.read_text().replace("sha256:", "sha256:0")[:-2] + "\n")
    with pytest.raises(subprocess.CalledProcessError):
        pip(made.folder, "arm64", *flags)


def test_versions_that_differ_are_brought_to_one_that_both_can_have(
    shop: Shop, index: Index, tmp_path: Path
) -> None:
    shop.pair("moving", "1.5", "below<3")
    shop.thin("moving", "1.6", "x86_64")
    shop.thin("moving", "2.0", "arm64")
    shop.pair("below", "2.0")
    shop.thin("below", "3.1", "arm64")
    made = build(["moving", "below"], tmp_path / "wheelhouse", options(index, tmp_path))
    assert {(entry.name, entry.version, entry.kind) for entry in made.wheels} == {
        ("moving", "1.5", EntryKind.FUSED),
        ("below", "2.0", EntryKind.FUSED),
    }
    assert any(note.startswith("moving is 1.5") and "2.0" in note for note in made.notes)


def test_what_one_kind_of_mac_cannot_have_at_all_is_an_error_that_names_it(
    shop: Shop, index: Index, tmp_path: Path
) -> None:
    shop.thin("lonely", "1.0", "arm64")
    with pytest.raises(WorkFailed, match="on x86_64") as caught:
        build(["lonely"], tmp_path / "wheelhouse", options(index, tmp_path))
    assert "lonely" in caught.value.detail
    assert "--macos-x86-64" in caught.value.hint
    with pytest.raises(UsageError, match="no requirement"):
        build(["lonely =! 1"], tmp_path / "wheelhouse", options(index, tmp_path))
    assert not (tmp_path / "wheelhouse").exists()


def test_code_that_needs_a_newer_system_than_its_tag_says_is_left_thin_and_told(
    shop: Shop, index: Index, tmp_path: Path
) -> None:
    shop.thin("liar", "1.0", "x86_64", minimum="13.1")
    shop.thin("liar", "1.0", "arm64")
    made = build(["liar"], tmp_path / "wheelhouse", options(index, tmp_path))
    assert [entry.kind for entry in made.wheels] == [EntryKind.SIDE_BY_SIDE] * 2
    assert [entry.archs for entry in made.wheels] == [("arm64",), ("x86_64",)]
    assert any("left thin" in note and "10.15 on x86_64" in note for note in made.notes)
    assert any("minos-above-tag" in note for note in made.notes)
    new = options(index, tmp_path, macos={"x86_64": (13, 0), "arm64": (12, 0)})
    assert [entry.kind for entry in build(["liar"], tmp_path / "wheelhouse", new).wheels] == [
        EntryKind.FUSED
    ]


def noisy(shop: Shop) -> None:
    for arch in MACS:
        shop.thin("noisy", "1.0", arch, extra={"noisy/build.txt": arch.encode()})


def test_a_file_without_a_verdict_is_an_error_until_a_rule_or_thin_says_what_to_do(
    shop: Shop, index: Index, tmp_path: Path
) -> None:
    noisy(shop)
    with pytest.raises(WorkFailed, match="cannot be fused") as caught:
        build(["noisy"], tmp_path / "wheelhouse", options(index, tmp_path))
    assert caught.value.where == "noisy"
    assert "noisy: 1 file has no verdict" in caught.value.detail
    assert "--thin noisy" in caught.value.hint
    ruled = options(index, tmp_path, rules=[parse_known_rule("noisy:noisy/*.txt=x86_64")])
    assert build(["noisy"], tmp_path / "ruled", ruled).wheels[0].kind is EntryKind.FUSED
    thin = build(["noisy"], tmp_path / "thin", options(index, tmp_path, thin=frozenset({"noisy"})))
    assert [entry.kind for entry in thin.wheels] == [EntryKind.SIDE_BY_SIDE] * 2


def test_all_packages_without_verdicts_are_told_at_once_with_rules_to_save(
    shop: Shop, index: Index, tmp_path: Path
) -> None:
    """The other packages are done: a second run takes them, and the rules settle the rest."""
    noisy(shop)
    shop.pair("sound", "1.0")
    for arch in MACS:
        own = {f"loud/{arch}.so": shop.code(arch), "loud/b: #*'.txt": arch.encode()}
        shop.thin("loud", "1.0", arch, extra=own)
    shop.thin("uneven", "1.0", "x86_64")
    shop.thin("uneven", "1.0", "arm64", "sound")
    requirements = ["loud", "noisy", "sound", "uneven"]
    out = tmp_path / "wheelhouse"
    with pytest.raises(WorkFailed) as caught:
        build(requirements, out, options(index, tmp_path))
    assert caught.value.exit_code == 1
    assert caught.value.where == "loud, noisy, uneven"
    assert caught.value.what.endswith("done and kept in the cache: 1")
    for reason in ("loud: 3 files have no verdict", "noisy: 1 file has", "uneven: the two wheels"):
        assert reason in caught.value.detail
    assert not out.exists()
    kept = list((tmp_path / "cache" / "fused").glob("*/sound-*.whl"))
    assert len(kept) == 1
    shown = str(caught.value).splitlines()
    begin = next(number for number, line in enumerate(shown) if line.strip() == "rules:")
    end = next(number for number, line in enumerate(shown) if line.startswith("hint: "))
    pasted = tmp_path / "rules.yaml"
    pasted.write_text("\n".join(shown[begin:end]), encoding="utf-8")
    saved = read(pasted)
    assert [rule.project for rule in saved] == ["loud", "loud", "loud", "noisy"]
    before = kept[0].stat().st_mtime_ns
    settled = options(index, tmp_path, rules=saved, thin=frozenset({"uneven"}))
    made = build(requirements, out, settled)
    kinds = {wheel.name: wheel.kind for wheel in made.wheels}
    assert kinds == {
        **dict.fromkeys(requirements, EntryKind.FUSED),
        "uneven": EntryKind.SIDE_BY_SIDE,
    }
    assert kept[0].stat().st_mtime_ns == before


def test_wheels_that_cannot_be_halves_are_told_with_the_others(
    shop: Shop, index: Index, tmp_path: Path
) -> None:
    noisy(shop)
    for project in ("sound", "lying", "bundle", "future"):
        shop.thin(project, "1.0", "arm64")
    sound = Thin(
        "x86_64",
        {"sound/_code.so": shop.code("x86_64"), "sound/__init__.py": b""},
        "sound",
        platform=TAGS["x86_64"],
        metadata=metadata("sound", "1.0"),
    )
    sound.write(shop.folder)
    other_content = {"sound/__init__.py": b"other"}
    future = {"sound/_code.so": shop.code("x86_64", "99.0")}
    for project, half in {
        "lying": replace(sound, lies=other_content),
        "bundle": replace(sound, platform="macosx_10_9_intel"),
        "future": replace(sound, files=future),
    }.items():
        about = metadata(project, "1.0")
        content = {name.replace("sound", project): text for name, text in half.files.items()}
        lies = {name.replace("sound", project): text for name, text in half.lies.items()}
        other = replace(half, project=project, metadata=about, files=content, lies=lies)
        other.write(shop.folder)
    requirements = ["bundle", "future", "lying", "noisy", "sound"]
    with pytest.raises(WorkFailed, match="done and kept in the cache: 1") as caught:
        build(requirements, tmp_path / "wheelhouse", options(index, tmp_path))
    assert caught.value.where == "bundle, future, lying, noisy"
    for reason in ("bundle: the architecture", "future: no installer", "lying: its content is"):
        assert reason in caught.value.detail


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rules: 1",
        "rules: []\nmore: 1",
        "- project: a",
        "rules: [{project: a, path: b}]",
        "rules: [{project: a, path: b, verdict: newest}]",
        "rules: [{project: a, path: b, verdict: [arm64]}]",
        "rules: [",
    ],
)
def test_a_malformed_file_of_rules_is_wrong_usage(tmp_path: Path, text: str) -> None:
    (tmp_path / "rules.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError):
        read(tmp_path / "rules.yaml")


def test_needs_that_are_spelled_in_two_ways_are_the_same(
    shop: Shop, index: Index, tmp_path: Path
) -> None:
    """opencv-python-headless's two wheels come from two versions of setuptools."""
    shop.pair("other", "1.2")
    shop.thin("spelled", "1.0", "x86_64", 'other (>=1.0) ; python_version>="3"')
    shop.thin("spelled", "1.0", "arm64", 'other>=1.0; python_version >= "3"')
    ruled = options(index, tmp_path, rules=[parse_known_rule("spelled:**/METADATA=arm64")])
    made = build(["spelled"], tmp_path / "wheelhouse", ruled)
    assert {wheel.kind for wheel in made.wheels} == {EntryKind.FUSED}


def test_a_rule_for_metadata_does_not_hide_that_one_side_needs_more(
    shop: Shop, index: Index, tmp_path: Path
) -> None:
    shop.thin("uneven", "1.0", "x86_64")
    shop.thin("uneven", "1.0", "arm64", "native")
    shop.pair("native", "1.0")
    rules = [parse_known_rule("uneven:uneven-1.0.dist-info/METADATA=x86_64")]
    with pytest.raises(WorkFailed, match="do not need the same") as caught:
        build(["uneven"], tmp_path / "wheelhouse", options(index, tmp_path, rules=rules))
    assert "Requires-Dist: native" in caught.value.detail


def test_known_rules_have_reasons_and_wrong_ones_are_refused() -> None:
    assert all(known_rule.reason and known_rule.rule.path for known_rule in known())
    for text in ("noisy", "noisy:x", ":x=arm64", "noisy:x=left"):
        with pytest.raises(UsageError):
            parse_known_rule(text)


def test_a_config_says_what_is_wanted_and_for_which_macs(
    shop: Shop, index: Index, tmp_path: Path
) -> None:
    shop.pair("native", "1.0")
    configs = tmp_path / "configs"
    shutil.copytree(ROOT / "build_configs", configs)
    (configs / "mine.yaml").write_text(
        'extends: demo\npython: "3.11"\nwheelhouse: [native]\n', encoding="utf-8"
    )
    words = task(index, tmp_path, str(configs / "mine.yaml"), "--macos-arm64", "14", "--json")
    document = json.loads(command_line.run(*words).stdout)
    assert document["requirements"] == ["native"]
    assert document["macos"]["arm64"] == "14.0"
    refused = command_line.run(*task(index, tmp_path, str(configs / "demo.yaml")))
    assert refused.returncode == 2
    assert "wheelhouse" in refused.stderr


def test_the_task_prints_a_valid_document(shop: Shop, index: Index, tmp_path: Path) -> None:
    shop.pair("native", "1.0")
    document = json.loads(command_line.run(*task(index, tmp_path, "native", "--json")).stdout)
    documents.check(document)
    assert [entry["how"] for entry in document["wheels"]] == ["fused"]
    assert document["macos"] == {"arm64": "12.0", "x86_64": "10.15"}
    shown = command_line.run(*task(index, tmp_path, "native"))
    assert "native-1.0-cp311-cp311-macosx_10_9_universal2.whl" in shown.stdout
    wrong = command_line.run(*task(index, tmp_path, "native", "--python", "three"))
    assert wrong.returncode == 2
