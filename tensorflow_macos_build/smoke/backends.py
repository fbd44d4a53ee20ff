"""Which backend trained, and whether all that was seen of it says the same.

Each backend has a proof of its own. A plugin's device: TensorFlow says that it made it, the plugin
has kernels that the wheel has not, and the heavy ops ran there by graph and by trace. ML Compute:
its subgraphs, and none of them when it is turned off. Whatever speaks for two of them, or against
the one, is shown and is a failure: "Plugin optimizer … is enabled" was printed by a GPU that was
idle (tensorflow#56782).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build.smoke.model import CheckOutcome, SmokeCheck

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NAME = "backend"
"""What the verdict is called among the checks."""

SOURCES = ("device", "placement", "training_on_device", "kernels", "ml_compute")
"""The checks whose evidence it is made of."""

_TELLING = ("training_on_device", "ml_compute")
"""Without one of them nothing has trained, and nothing is known."""


class Backend(Enum):
    """What can stand behind a device."""

    PLUGGABLE_DEVICE = "pluggable_device"
    """A plugin's: Metal's, or another."""
    ML_COMPUTE = "ml_compute"
    """Apple's fork of 2020."""
    PLAIN_DEVICE = "plain_device"
    """One of the wheel's own: a CPU, or a GPU that it was built for."""


@dataclass(frozen=True)
class BackendVerdict:
    """What was recognised.

    Attributes:
        backend: which one.
        name: what it calls itself, such as `METAL`; empty where it has no name.
        proofs: what speaks for it.
        contradictions: what speaks against it, or for another.
    """

    backend: Backend
    name: str
    proofs: tuple[str, ...]
    contradictions: tuple[str, ...]


def verdict_check(checks: Sequence[SmokeCheck], device: str) -> SmokeCheck | None:
    """Return the verdict on one target's checks, as one more; None where none of them tells."""
    rows = {check.name: check for check in checks if check.name in SOURCES}
    tried = [rows[name] for name in _TELLING if name in rows and rows[name].outcome.was_tried]
    if not tried:
        return None
    verdict = recognise({name: row.evidence for name, row in rows.items() if _is_seen(row)}, device)
    return SmokeCheck(
        target=tried[0].target,
        name=NAME,
        outcome=CheckOutcome.FAILED if verdict.contradictions else CheckOutcome.PASSED,
        why="; ".join(verdict.contradictions),
        evidence={
            "backend": verdict.backend.value,
            "calls_itself": verdict.name,
            "proofs": list(verdict.proofs),
            "contradictions": list(verdict.contradictions),
        },
        group="proof",
    )


def _is_seen(check: SmokeCheck) -> bool:
    return check.outcome.was_tried and bool(check.evidence)


def recognise(evidence: Mapping[str, Mapping[str, Any]], device: str) -> BackendVerdict:
    """Return which backend the evidence of checks shows.

    Args:
        evidence: by the check's name, as `inside/checks/placement.py`, `kernels.py` and
            `ml_compute.py` return it; what is missing was not seen.
        device: the device that was tried, such as `GPU:0`.
    """
    log = _Log(evidence.get("training_on_device", {}).get("log") or {})
    if "ml_compute" in evidence or log.has_ml_compute:
        return _ml_compute(evidence, log)
    made = log.created(device)
    if made or evidence.get("kernels", {}).get("plugins"):
        return _pluggable(evidence, log, device, made)
    return _plain(evidence, log, device)


@dataclass(frozen=True)
class _Log:
    """The phrases of a log, as `inside/logs.py` finds them."""

    phrases: Mapping[str, Sequence[str]]

    @property
    def has_ml_compute(self) -> bool:
        """Whether ML Compute took or refused anything; that it is linked in says nothing."""
        return any(self.phrases.get(f"mlc_{word}") for word in ("accepted", "rejected", "fallback"))

    def created(self, device: str) -> str:
        """Return what the plugin calls the device that TensorFlow says it made; empty for none."""
        lines = [line.split(" ") for line in self.phrases.get("device_created", ())]
        return next((line[1] for line in lines if line[0] == device and len(line) > 1), "")


def _pluggable(
    evidence: Mapping[str, Mapping[str, Any]], log: _Log, device: str, made: str
) -> BackendVerdict:
    proofs, contradictions = _ran(evidence, device)
    kernels = evidence.get("kernels", {})
    if made:
        proofs.append(f"TensorFlow made {device} of the plugin {made}")
    else:
        contradictions.append(f"TensorFlow does not say that a plugin made {device}")
    if kernels.get("of_plugin"):
        proofs.append(f"{kernels['of_plugin']} kernels are the plugin's")
    elif kernels:
        contradictions.append("the plugin has no kernels of its own")
    if not kernels.get("plugins", ["unseen"]):
        contradictions.append("no plugin is installed")
    if log.phrases.get("metal_device"):
        proofs.append(f"Metal's device is {log.phrases['metal_device'][0]}")
    elif made == "METAL":
        contradictions.append("the plugin is Metal's, and Metal names no device")
    return BackendVerdict(Backend.PLUGGABLE_DEVICE, made, tuple(proofs), tuple(contradictions))


def _ml_compute(evidence: Mapping[str, Mapping[str, Any]], log: _Log) -> BackendVerdict:
    seen = evidence.get("ml_compute", {})
    main, control = (seen.get(name) or {"nodes": [], "log": {}} for name in ("main", "control"))
    nodes, refused = len(main["nodes"]), main["log"]
    proofs, contradictions = [], []
    if nodes >= 2:
        proofs.append(f"{nodes} subgraphs of the training are ML Compute's")
    else:
        contradictions.append(f"{nodes} subgraphs of the training are ML Compute's, not two")
    if control["nodes"] or control["log"].get("mlc_accepted"):
        contradictions.append("TF_DISABLE_MLC=1 does not turn it off")
    elif seen:
        proofs.append("none is with TF_DISABLE_MLC=1")
    for phrases in (refused, log.phrases):
        contradictions += [
            f"{what} {len(phrases[name])} times"
            for name, what in (
                ("mlc_rejected", "it rejected a subgraph"),
                ("mlc_fallback", "it fell back to the CPU"),
                ("mlc_aborted", "it lost its training graph"),
            )
            if phrases.get(name)
        ]
    for line in log.phrases.get("device_created", ()):
        contradictions.append(f"a plugin made a device, too: {line}")
    return BackendVerdict(Backend.ML_COMPUTE, "ML Compute", tuple(proofs), tuple(contradictions))


def _plain(evidence: Mapping[str, Mapping[str, Any]], log: _Log, device: str) -> BackendVerdict:
    proofs, contradictions = _ran(evidence, device)
    contradictions += [
        f"a plugin made another device, and {device} is none of its: {line}"
        for line in log.phrases.get("device_created", ())
        if not device.startswith("CPU")
    ]
    return BackendVerdict(Backend.PLAIN_DEVICE, "", tuple(proofs), tuple(contradictions))


def _ran(evidence: Mapping[str, Mapping[str, Any]], device: str) -> tuple[list[str], list[str]]:
    """Return what graphs and traces say for a device, and what they say against it."""
    proofs, contradictions = [], []
    training = evidence.get("training_on_device", {})
    for part, what in (("fit", "the graphs of fit"), ("session", "the trace of a session")):
        seen = training.get(part, {})
        if seen.get("heavy_elsewhere"):
            ops = ", ".join(seen["heavy_elsewhere"])
            contradictions.append(f"{what} have {ops} elsewhere than on {device}")
        elif seen.get("heavy_on_device"):
            proofs.append(f"{what} have {', '.join(seen['heavy_on_device'])} on {device}")
        else:
            contradictions.append(f"{what} have no heavy op on {device}")
    places = evidence.get("placement", {}).get("ran_on", {})
    elsewhere = sorted(op for op, where in places.items() if where != device)
    if elsewhere:
        contradictions.append(f"asked for on {device}, elsewhere: {', '.join(elsewhere)}")
    return proofs, contradictions
