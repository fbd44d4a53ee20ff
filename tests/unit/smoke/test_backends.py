"""Backends recognised from logs and graphs that were rebuilt from public issues: no Mac was there.

The lines are those that users have posted, with the numbers of their issues; the graphs are what
the issues say of them, in the form that a run on Linux has.
"""

from __future__ import annotations

from typing import Any

import pytest

from tensorflow_macos_build.smoke import backends
from tensorflow_macos_build.smoke.backends import Backend
from tensorflow_macos_build.smoke.inside import logs
from tensorflow_macos_build.smoke.model import CheckOutcome, SmokeCheck

METAL_LOG = """\
2022-08-22 10:03:34.130: I tensorflow/core/common_runtime/pluggable_device/\
pluggable_device_factory.cc:306] Could not identify NUMA node of platform GPU ID 0, defaulting to 0.
Metal device set to: Apple M1 Pro
2022-08-22 10:03:34.131: I tensorflow/core/common_runtime/pluggable_device/\
pluggable_device_factory.cc:272] Created TensorFlow device (/job:localhost/replica:0/task:0/\
device:GPU:0 with 0 MB memory) -> physical PluggableDevice (device: 0, name: METAL, pci bus id: \
<undefined>)
2022-08-22 10:03:35.002: I tensorflow/core/grappler/optimizers/custom_graph_optimizer_registry.cc\
:113] Plugin optimizer for device_type GPU is enabled.
"""

MLC_LOG = """\
I tensorflow/compiler/mlcompute/mlc_graph_conversion_pass.h:72] MLCGraphConversionPass: Initialized
I tensorflow/compiler/mlcompute/mlc_eager_op_rewrite.cc:42] MLCEagerOpRewrite: Initialized
I mlc_subgraph_op.cc:290] Created a new MLCGraphInfo with id: 1
I mlc_graph_conversion_pass.cc:310] Finished converting subgraph MLCSubgraphOp_1_0
I mlc_graph_conversion_pass.cc:310] Finished converting subgraph MLCSubgraphOp_1_1
"""

MLC_REJECTED = """\
I mlc_graph_conversion_pass.cc:310] Finished converting subgraph MLCSubgraphOp_1_0
E mlc_subgraph_op.cc:214] Compute: Failed in processing TensorFlow graph MLCSubgraphOp_1_1 with \
error: Internal: AddLayerToMLCGraph: Failed to add layer
W mlc_subgraph_op.cc:321] Falling back to TensorFlow...
"""


def trained(**heavy: list[str]) -> dict[str, Any]:
    part = {"heavy_on_device": ["MatMul"], "heavy_elsewhere": [], **heavy}
    return {"fit": part, "session": part}


def metal(log: str = METAL_LOG, **heavy: list[str]) -> dict[str, dict[str, Any]]:
    return {
        "training_on_device": {**trained(**heavy), "log": logs.phrases(log)},
        "kernels": {"plugins": ["libmetal_plugin.dylib"], "of_plugin": 268},
        "placement": {"ran_on": {"MatMul": "GPU:0"}},
    }


def ml_compute(log: str = MLC_LOG, control: str = "") -> dict[str, dict[str, Any]]:
    def run(text: str) -> dict[str, Any]:
        phrases = logs.phrases(text)
        return {"nodes": phrases.get("mlc_accepted", []), "log": phrases, "losses": [1.5, 1.25]}

    return {"ml_compute": {"main": run(log), "control": run(control)}}


def test_metal_is_recognised_by_its_device_its_kernels_and_where_ops_ran() -> None:
    verdict = backends.recognise(metal(), "GPU:0")
    assert (verdict.backend, verdict.name) == (Backend.PLUGGABLE_DEVICE, "METAL")
    assert verdict.contradictions == ()
    assert "Metal's device is Apple M1 Pro" in verdict.proofs


@pytest.mark.parametrize(
    ("evidence", "words"),
    [
        # tensorflow#56782: all good signs in the log, and the GPU idle
        (metal(heavy_on_device=[], heavy_elsewhere=["MatMul"]), "elsewhere than on GPU:0"),
        (metal(heavy_on_device=[]), "no heavy op on GPU:0"),
        # a plugin that another release was made for is installed, and loads nothing
        (metal(log="", heavy_on_device=[]), "does not say that a plugin made GPU:0"),
        ({**metal(), "kernels": {"plugins": ["a"], "of_plugin": 0}}, "no kernels of its own"),
        ({**metal(), "placement": {"ran_on": {"MatMul": "CPU:0"}}}, "elsewhere: MatMul"),
        (metal(METAL_LOG.replace("Metal device", "A device")), "Metal names no device"),
    ],
)
def test_what_speaks_against_metal_is_shown(
    evidence: dict[str, dict[str, Any]], words: str
) -> None:
    verdict = backends.recognise(evidence, "GPU:0")
    assert words in "; ".join(verdict.contradictions)


def test_ml_compute_is_recognised_by_its_subgraphs_and_their_absence_when_off() -> None:
    evidence = ml_compute()
    verdict = backends.recognise(evidence, "CPU:0")
    assert verdict.backend is Backend.ML_COMPUTE
    assert verdict.contradictions == ()
    assert logs.ml_compute_faults(**evidence["ml_compute"]) == []


@pytest.mark.parametrize(
    ("evidence", "words"),
    [
        (ml_compute(MLC_REJECTED), "fell back to the CPU"),  # apple#195, #257
        (ml_compute(MLC_LOG.splitlines()[0]), "not two"),  # apple#71: linked in, eager
        (ml_compute(control=MLC_LOG), "TF_DISABLE_MLC=1"),
        (ml_compute(MLC_LOG + "No MLCTrainingGraph has been found"), "lost its training"),
    ],
)
def test_what_speaks_against_ml_compute_is_shown(
    evidence: dict[str, dict[str, Any]], words: str
) -> None:
    verdict = backends.recognise(evidence, "CPU:0")
    assert words in "; ".join(verdict.contradictions)
    assert words in "; ".join(logs.ml_compute_faults(**evidence["ml_compute"]))


def test_other_losses_than_without_ml_compute_are_a_fault() -> None:
    seen = ml_compute()["ml_compute"]
    seen["main"]["losses"] = [1.5, float("nan")]
    assert "its losses are" in logs.ml_compute_faults(**seen)[0]


def test_evidence_for_two_backends_is_a_failure_that_shows_both() -> None:
    evidence = {**ml_compute(), "training_on_device": metal()["training_on_device"]}
    verdict = backends.recognise(evidence, "GPU:0")
    assert verdict.contradictions == ("a plugin made a device, too: GPU:0 METAL",)


def test_a_verdict_is_a_check_that_fails_where_anything_contradicts() -> None:
    def checks(evidence: dict[str, dict[str, Any]]) -> list[SmokeCheck]:
        return [SmokeCheck("arm64", k, CheckOutcome.PASSED, "", v) for k, v in evidence.items()]

    good = backends.verdict_check(checks(metal()), "GPU:0")
    bad = backends.verdict_check(checks(metal(heavy_on_device=[])), "GPU:0")
    plain = backends.verdict_check(checks({"training_on_device": trained()}), "CPU:1")
    assert good is not None
    assert bad is not None
    assert plain is not None
    assert (good.outcome, bad.outcome) == (CheckOutcome.PASSED, CheckOutcome.FAILED)
    assert plain.evidence["backend"] == "plain_device"
    assert backends.verdict_check([SmokeCheck("arm64", "device", CheckOutcome.PASSED)], "") is None
