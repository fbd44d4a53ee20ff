"""What speaks against a release, and how a gate is waived."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.release import gates
from tensorflow_macos_build.release.gates import Seen, SmokeCount
from tensorflow_macos_build.release.model import GateOutcome

FINE = Seen(
    changed=(),
    tags=frozenset({"v1"}),
    tag="v2.17.0-mac",
    versions={"the file name": "2.17.0", "METADATA": "2.17.0", "the config": ""},
    altered=(),
    errors=(),
    plugins={"metal.whl": ""},
    smoke=SmokeCount(5, 0, 2),
)
BAD: dict[str, list[dict[str, Any]]] = {
    "clean-tree": [{"changed": None}, {"changed": ("a", "b", "c", "d")}],
    "tag-free": [{"tags": frozenset({"v2.17.0-mac"})}],
    "versions": [
        {"versions": {"the file name": "2.17.0", "the config": "2.17.1"}},
        {"versions": {"the file name": "", "the config": ""}},
        *({"tag": tag} for tag in ("v2.18.0", "v12.17.0", "v2.17.01", "v2.17.0.1", "v1.2.17.0")),
    ],
    "dist-whole": [{"altered": ("x.whl is missing",)}],
    "verified": [{"errors": ("symbol-missing a.so",)}],
    "plugins": [{"plugins": {"metal.whl": "plugin-symbol: 3 are missing"}}],
    "smoked": [{"smoke": SmokeCount(0, 0, 9)}, {"smoke": SmokeCount(5, 1, 0)}],
}


def test_all_gates_let_a_sound_release_pass_in_order() -> None:
    passed = gates.judge(FINE, {})
    assert [gate.name for gate in passed] == list(gates.NAMES) == list(BAD)
    assert {gate.outcome for gate in passed} == {GateOutcome.PASSED}
    assert gates.judge(FINE, {"smoked": "no Mac"}) == passed  # nothing to waive


@pytest.mark.parametrize("name", BAD)
def test_one_fault_fails_one_gate_and_a_reason_waives_it(name: str) -> None:
    for fault in BAD[name]:
        seen = replace(FINE, **fault)
        failed = [gate for gate in gates.judge(seen, {}) if gate.outcome is GateOutcome.FAILED]
        assert [gate.name for gate in failed] == [name]
        assert failed[0].why
        assert failed[0].remedy
        waived = [gate for gate in gates.judge(seen, {name: "since"}) if gate.name == name]
        assert waived[0].outcome is GateOutcome.WAIVED
        assert waived[0].why == f"since ({failed[0].why})"


def test_versions_that_are_spelt_otherwise_are_the_same() -> None:
    seen = replace(FINE, versions={"the file name": "2.17.0rc1", "the config": "2.17.0-rc1"})
    (gate,) = (
        gate for gate in gates.judge(replace(seen, tag="v2.17.0rc1"), {}) if gate.name == "versions"
    )
    assert gate.outcome is GateOutcome.PASSED


def test_a_gate_that_there_is_not_cannot_be_waived() -> None:
    with pytest.raises(UsageError, match="no gate `smoke`"):
        gates.judge(FINE, {"smoke": "x"})
