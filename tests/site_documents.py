"""Documents of every kind that a site shows, as its tasks write them, with rich contents."""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build import documents
from tensorflow_macos_build.smoke.bench import Arm, BenchResult
from tensorflow_macos_build.smoke.bench.verdicts import rows
from tensorflow_macos_build.views import (
    bench,
    build,
    fuse,
    rebase,
    rounds,
    smoke_compare,
    upstream,
    verify,
)
from tensorflow_macos_build.views import release as release_view
from tests import bench_times
from tests.view_samples import builds, queues, releases, trials, wheels

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.documents import Json

OPS = (
    *("Abs", "Add", "AddV2", "ArgMax", "AvgPool", "BatchMatMulV2", "BiasAdd", "Cast", "ConcatV2"),
    *("Conv2D", "Conv2DBackpropFilter", "Conv2DBackpropInput", "Cumsum", "Einsum", "Elu", "Erf"),
    *("FusedBatchNormV3", "GatherV2", "Identity", "LeakyRelu", "MatMul", "MaxPool", "Mean", "Mul"),
    *("Pad", "RandomUniform", "Relu", "ResizeBilinear", "Softmax", "SparseMatMul", "Sum", "TopKV2"),
)
STATUSES = (
    *("clean", "clean", "adapted", "clean", "upstream-identical", "resolved", "clean", "conflict"),
)


def sha(text: str) -> str:
    """Return a SHA-256 that stands for a file."""
    return hashlib.sha256(text.encode()).hexdigest()


def commit(text: str, subject: str = "") -> Json:
    """Return an upstream commit."""
    oid = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    return {
        "commit": oid,
        "author": "Ada Lovelace <ada@example.org>",
        "date": "2026-02-11T09:30:00+01:00",
        "subject": subject or f"Rework {text}",
        "link": f"https://example.org/commit/{oid}",
    }


def wheel_name(version: str, python: str = "cp312") -> str:
    """Return the name of a wheel for both kinds of Mac."""
    return f"tensorflow-{version}-{python}-{python}-macosx_10_15_x86_64.macosx_12_0_arm64.whl"


def release(version: str, *, waived: bool = False) -> Json:
    """Return a release's manifest."""
    name = wheel_name(version)
    gates = [
        {"name": "clean-tree", "outcome": "passed", "why": "nothing differs from the commit"},
        {"name": "verified", "outcome": "passed", "why": "verify has no error"},
        {
            "name": "smoked",
            "outcome": "waived" if waived else "passed",
            "why": "no Mac was free" if waived else "61 checks passed, 4 not run",
        },
    ]
    files = [
        {"name": name, "kind": "wheel", "size": 498_112_030, "sha256": sha(name)},
        {"name": "evidence.json", "kind": "evidence", "size": 812, "sha256": sha("e")},
    ]
    body = {
        "release": f"tf-{version[:4]}",
        "tag": f"v{version}",
        "project": "tensorflow",
        "version": version,
        "upstream": {
            "url": "https://github.com/tensorflow/tensorflow",
            "ref": f"v{version}",
            "commit": commit(version)["commit"],
        },
        "tool": {"version": "1.0", "commit": commit("tool")["commit"]},
        "gates": gates,
        "files": files,
    }
    return documents.document("release", 1, body)


def evidence(version: str) -> Json:
    """Return what verify and smoke tests say of a release's wheel."""
    name = wheel_name(version)
    checks = [
        {"machine": machine, "leg": leg, "name": f"check-{at}", "outcome": outcome, "why": ""}
        for machine, leg in (("the build's", "arm64"), ("smoke-macos-15-intel", "x86_64"))
        for at, outcome in enumerate(["passed"] * 7 + ["known_limit", "not_run"])
    ]
    finding = {
        "code": "weak-import",
        "severity": "note",
        "file": "tensorflow/libtensorflow_cc.2.dylib",
        "slice": "arm64",
        "message": "three symbols may be null",
    }
    body = {
        "wheel": {"name": name, "sha256": sha(name)},
        "findings": [finding, {**finding, "severity": "warning"}],
        "smoke": checks,
    }
    return documents.document("release-evidence", 1, body)


def provenance(version: str) -> Json:
    """Return where a wheel comes from."""
    name = wheel_name(version)
    file = {"name": name, "size": 498_112_030, "sha256": sha(name)}
    architectures = {
        "arm64": {"bazel_config": "release_macos_arm64", "flags": []},
        "x86_64": {"bazel_config": "fork_macos_x86", "flags": ["--copt=-mavx2", "--copt=-mfma"]},
    }
    body = {
        "wheel": file,
        "plugins": [],
        "release": {"name": f"tf-{version[:4]}", "architectures": architectures},
        "upstream": {"url": "u", "ref": "r", "commit": commit(version)["commit"]},
        "queue_files": {},
        "tree": commit("tree")["commit"],
        "thin_wheels": [],
        "builder": {
            "tensorflow_macos_build": "1.0",
            "system": "darwin",
            "machine": "arm64",
            "python": "cpython 3.12.4",
        },
    }
    return documents.document("provenance", 1, body)


def times(*versions: str) -> Json:
    """Return when releases were published."""
    when = {f"v{version}": f"2026-1{at}-05T12:00:00Z" for at, version in enumerate(versions)}
    return documents.document("release-times", 1, {"times": when})


def report(release_name: str, night: int) -> Json:
    """Return a build's report; later nights have more cache hits."""
    name = wheel_name("2.21.0")
    hits = {1: (120, 80), 2: (21_034, 20_870), 3: (27_961, 27_110)}[night]
    thin = [
        {
            "architecture": arch,
            "name": f"tensorflow-2.21.0-cp312-cp312-{tag}.whl",
            "size": 251_000_000 + night * at,
            "sha256": sha(f"{arch}{night}"),
            "actions": 30_160,
            "cache_hits": hits[at],
            "caches": ["disk", "grpc://cache.example.org"],
        }
        for at, (arch, tag) in enumerate(
            (("arm64", "macosx_12_0_arm64"), ("x86_64", "macosx_10_15_x86_64"))
        )
    ]
    spent = {
        "source": 41.2,
        "patch": 2.4,
        "build-arm64": 16_233.0 / night,
        "build-x86_64": 15_120.5,
    }
    stages = [
        {"name": stage, "key": sha(stage), "summary": f"{stage} of {release_name}",
         "seconds": seconds, "up_to_date": stage == "patch" and night > 1}
        for stage, seconds in {**spent, "fuse": 74.1, "verify": 33.8, "smoke": 612.0}.items()
    ]  # fmt: skip
    body: dict[str, Any] = {
        "release": release_name,
        "wheel": {"name": name, "size": 498_112_030 + night, "sha256": sha(f"{name}{night}")},
        "plugins": [],
        "upstream": {"url": "https://github.com/tensorflow/tensorflow", "ref": "v2.21.0",
                     "commit": commit("2.21.0")["commit"]},
        "queue": "tf-2.21",
        "tree": commit("tree")["commit"],
        "patches": [{"name": "a.patch", "status": "clean", "evidence": ""}],
        "stages": stages,
        "thin_wheels": thin,
        "fuse": {"verdicts": {"identical": 9_120, "universal": 14, "header": 3, "only-arm64": 2},
                 "notes": []},
        "verify": [],
        "smoke": [],
        "relocate": {"copied": []},
        "config": {"name": release_name},
        "builder": {"tensorflow_macos_build": "1.0", "system": "darwin", "machine": "arm64",
                    "python": "cpython 3.12.4"},
    }  # fmt: skip
    return documents.document("report", 1, body)


def staged_rounds() -> Json:
    """Return five rounds of a time-boxed build."""
    ran = (7_310, 8_004, 6_120, 5_902, 2_824)
    table = [
        {
            "number": at,
            "plan": sha("plan"),
            "end": "done" if at == len(ran) else "budget",
            "seconds": 17_400.0 if at < len(ran) else 9_310.5,
            "run": count,
            "hits": sum(ran[: at - 1]) if at > 1 else None,
            "overlap": 0,
            "remade": 12 if at == 3 else 0,
            "stages": ["source", "patch"],
        }
        for at, count in enumerate(ran, 1)
    ]
    body = rounds.as_document(builds.REPORTS)
    return {**body, "rounds": table}


def forecast(queue: str, refs: tuple[str, ...], patches: int = 8) -> Json:
    """Return a forecast whose later revisions break more patches."""
    audit = {"not_done": "", "names": 214, "unread": 0, "needs_look": 0, "findings": []}
    revisions = [
        {"ref": ref, "commit": commit(ref)["commit"], "distance": 900 * (at + 1), "ok": at == 0,
         "audit": audit, "due": []}
        for at, ref in enumerate(refs)
    ]  # fmt: skip
    rows = [
        {
            "name": f"00{at + 1}00-patch-{at}-of-{queue}.patch",
            "subject": f"Let the Mac build do its part {at} of {queue}",
            "fates": [
                _fate(STATUSES[at % len(STATUSES)], ref, column) for column, ref in enumerate(refs)
            ],
        }
        for at in range(patches)
    ]
    base = {"ref": "v2.20.0", "commit": commit("v2.20.0")["commit"]}
    body = {"queue": queue, "base": base, "revisions": revisions, "patches": rows}
    return documents.document("forecast", 1, body)


def _fate(status: str, ref: str, column: int) -> Json:
    """Return a fate; on the first revision nothing conflicts."""
    status = "clean" if status == "conflict" and column == 0 else status
    culprit = {"how": "by", "commit": commit(f"{ref} kernels"), "clean": commit("c")["commit"]}
    return {
        "status": status,
        "upstream": [commit("upstream")] if status.startswith("upstream") else [],
        "knock_on_of": [],
        "breaking": culprit if status == "conflict" else None,
    }


def sweep(device: str, tensorflow: str, seed: int) -> Json:
    """Return a sweep of some ops, in which a few differ."""
    chance = random.Random(seed)
    results = []
    for op in OPS:
        for type_ in ("float", "half", "double"):
            outcome = chance.choices(
                ("equal", "differ", "raise", "die", "unaccounted"), (60, 3, 2, 1, 2)
            )[0]
            results.append({
                "op": op, "types": {"T": type_}, "outcome": outcome,
                "why": "" if outcome == "equal" else f"{outcome} on {device}", "law": "value",
                "error": round(chance.uniform(0, 60), 2), "limit": 64.0,
            })  # fmt: skip
    names = ("equal", "differ", "raise", "die", "unaccounted")
    counts = {name: sum(row["outcome"] == name for row in results) for name in names}
    excluded = {"files": {"count": 41, "why": "it reads or writes files"}}
    body = {
        "subject": wheel_name("2.21.0"), "target": "arm64", "tensorflow": tensorflow,
        "device": device, "reference": "CPU:0", "passed": False, "ended": "", "seconds": 73.2,
        "counts": counts, "excluded": excluded,
        "ops": {"called": len(OPS), "planned": len(OPS) + 2}, "registrations": [],
        "excluded_ops": [], "results": results,
    }  # fmt: skip
    return documents.document("smoke-sweep", 1, body)


def smoke(device: str, *, virtual: bool = False) -> Json:
    """Return a smoke test of a wheel."""
    checks: list[Json] = [
        {
            "target": "arm64", "name": name, "group": group, "issue": issue, "outcome": outcome,
            "why": "" if outcome == "passed" else "the loss was NaN after 3 steps", "limit": "",
            "seconds": None if virtual else 1.5 + at, "max_rss_mb": None if virtual else 700 + at,
            "evidence": {}, "log_tail": "",
        }
        for at, (name, group, issue, outcome) in enumerate((
            ("import", "basics", "", "passed"), ("device", "basics", "", "passed"),
            ("compute", "basics", "", "passed"), ("train-conv", "training", "", "passed"),
            ("adam-nan", "failures", "tensorflow#61915", "failed" if virtual else "passed"),
            ("half-matmul", "numerics", "", "not_applicable" if virtual else "passed"),
            ("soak", "training", "", "not_run"),
        ))
    ]  # fmt: skip
    body = {
        "subject": wheel_name("2.21.0"), "sha256": sha(wheel_name("2.21.0")), "device": device,
        "reference": "CPU:0", "check_set": "full", "virtual": virtual,
        "verdict": "failed" if virtual else "passed", "lifted_limits": [], "checks": checks,
    }  # fmt: skip
    return documents.document("smoke", 2, body)


def benchmark() -> Json:
    """Return a benchmark of three arms on three workloads."""
    metal = Arm("metal", "envs/metal", "GPU:0")
    design = bench_times.design(
        bench_times.STOCK, bench_times.FORK, metal, workloads="lstm,transformer,mlp"
    )
    made = bench_times.simulated(design, {"fork": 1.02, "metal": 2.6}, seed=4)
    result = BenchResult(
        design, {"processor": "Apple M2", "memory": "16 GB"}, tuple(made), rows(design, made)
    )
    return bench.as_document(result)


def matrix() -> Json:
    """Return a table of plugins and releases."""
    hosts = [
        (arch, version)
        for arch in ("arm64", "x86_64")
        for version in ("2.16.2", "2.18.1", "2.20.0", "2.21.0")
    ]
    plugins = [(arch, version) for arch in ("arm64", "x86_64") for version in ("1.0.0", "1.2.0")]
    cells = [
        {
            "plugin": row, "host": column, "loads": version < "2.20", "lost": [], "bound": 412,
            "missing": [] if version < "2.20" else [0, 1], "weak": [2] if row == 1 else [],
            "elsewhere": [],
        }
        for row, (plugin_arch, _) in enumerate(plugins)
        for column, (arch, version) in enumerate(hosts)
        if arch == plugin_arch
    ]  # fmt: skip
    body = {
        "names": ["_TF_AllocatorAttributesOnHost", "_TF_GetStream", "_weak"],
        "plugins": [_wheel("tensorflow-metal", *pair, "takes") for pair in plugins],
        "hosts": [_wheel("tensorflow", *pair, "exported") for pair in hosts],
        "cells": cells,
        "passed_over": [],
    }
    return documents.document("plugin-matrix", 1, body)


def _wheel(project: str, arch: str, version: str, key: str) -> Json:
    name = f"{project}-{version}-{arch}.whl"
    return {
        "project": project, "version": version, "arch": arch, "wheel": name, "sha256": sha(name),
        key: [],
    }  # fmt: skip


def wheel_contents() -> Json:
    """Return what a wheel of TensorFlow weighs, by folder."""
    name = wheel_name("2.21.0")
    folders = [
        ("tensorflow", 14, 1_080_412_000, {"arm64": 508_120_448, "x86_64": 561_004_544}),
        ("tensorflow/python", 3_911, 121_040_300, {"arm64": 18_003_200, "x86_64": 19_870_720}),
        ("tensorflow/include", 9_230, 74_310_118, {}),
        ("tensorflow/lite", 402, 11_902_440, {"arm64": 4_120_300, "x86_64": 4_410_912}),
        ("tensorflow-2.21.0.dist-info", 9, 2_104_100, {}),
    ]
    rows = [
        {"folder": folder, "files": files, "size": size, "compressed": size // 3, "slices": slices}
        for folder, files, size, slices in folders
    ]
    wheel = {"name": name, "size": 498_112_030, "sha256": sha(name)}
    return documents.document("wheel-contents", 1, {"wheel": wheel, "folders": rows})


def everything() -> dict[str, Json]:
    """Return documents of all kinds, by the paths that they may have."""
    return {
        "releases/v2.21.0/release.json": release("2.21.0"),
        "releases/v2.21.0/evidence.json": evidence("2.21.0"),
        "releases/v2.21.0/provenance.json": provenance("2.21.0"),
        "releases/v2.20.0/release.json": release("2.20.0", waived=True),
        "releases/times.json": times("2.20.0", "2.21.0"),
        "forecasts/tf-2.21.json": forecast("tf-2.21", ("v2.21.0", "v2.22.0rc0", "master")),
        "forecasts/tf-2.20.json": forecast("tf-2.20", ("v2.21.0", "v2.22.0rc0"), patches=5),
        "builds/night-2/report.json": report("tf-2.21", 2),
        "builds/night-1/report.json": report("tf-2.21", 1),
        "builds/night-10/report.json": report("tf-2.21", 3),
        "builds/rounds.json": staged_rounds(),
        "smoke/m2.json": smoke("GPU:0"),
        "smoke/macos-15.json": smoke("GPU:1", virtual=True),
        "smoke/sweep-gpu.json": sweep("GPU:0", "2.21.0", 1),
        "smoke/sweep-cpu.json": sweep("CPU:0", "2.20.0", 2),
        "bench/bench.json": benchmark(),
        "plugins/matrix.json": matrix(),
        "wheels/contents.json": wheel_contents(),
        "wheels/verification.json": verify.as_document(wheels.VERIFIED),
        "wheels/fusion.json": fuse.fused_document(wheels.FUSED),
        "smoke/comparison.json": smoke_compare.as_document(trials.COMPARISON),
        "forecasts/rebase.json": rebase.as_document(
            "patches/demo", queues.REQUEST, queues.CONFLICTING
        ),
        "forecasts/upstream.json": upstream.as_document(queues.WATCHING),
        "builds/run.json": build.as_document(builds.WORKSPACE, [builds.FINISHED, builds.BUILT]),
        "releases/v2.21.0/check.json": {
            **release_view.checked_document(releases.CHECKED),
            "tag": "v2.21.0",
        },
    }


def write(folder: Path, contents: dict[str, Json] | None = None) -> Path:
    """Write documents below a folder, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in (everything() if contents is None else contents).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(documents.dumps(body), encoding="utf-8")
    return folder
