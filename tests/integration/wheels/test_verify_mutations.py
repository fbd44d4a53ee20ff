"""Every finding is caught by its own code in a wheel that is broken in just that way."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.wheels.verify import Code, Severity, VerifyOptions, spool, verify
from tests.broken_wheels import (
    MUTATIONS,
    NOT_MADE_HERE,
    UNAVOIDABLE,
    WheelBreaker,
    one_sided_by_rule,
    one_sided_record,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.wheels.verify import Verification
    from tests.broken_wheels import Break
    from tests.machos import Toolchain


@pytest.fixture
def breaker(toolchain: Toolchain, tmp_path: Path) -> WheelBreaker:
    return WheelBreaker(toolchain, tmp_path)


def codes(verification: Verification) -> set[Code]:
    return {finding.code for finding in verification.findings}


def test_the_sound_wheel_has_no_finding(breaker: WheelBreaker) -> None:
    verification = verify(breaker.wheel(), VerifyOptions(must_export=("base", "answer")))
    assert verification.findings == ()
    assert (verification.binaries, verification.slices) == (2, 4)
    assert (verification.symbols.bound, verification.symbols.missing) == (2, 0)


@pytest.mark.parametrize(("code", "make"), MUTATIONS, ids=[code.slug for code, _ in MUTATIONS])
def test_a_broken_wheel_is_caught_by_its_own_code(
    breaker: WheelBreaker, code: Code, make: Break
) -> None:
    options = VerifyOptions(must_export=("lost",) if code is Code.MUST_EXPORT else ())
    verification = verify(make(breaker), options)
    reported = codes(verification)
    assert code in reported
    assert reported <= {code} | UNAVOIDABLE.get(code, set())
    assert verification.ok == all(other.severity is not Severity.ERROR for other in reported)


def test_every_code_has_its_mutation() -> None:
    assert {code for code, _ in MUTATIONS} | NOT_MADE_HERE == set(Code)


def test_an_accepted_finding_becomes_a_note_where_its_glob_says(breaker: WheelBreaker) -> None:
    wheel = breaker.wheel(breaker.files(mod=breaker.mod["arm64"].read_bytes()))
    assert not verify(wheel).ok
    assert verify(wheel, VerifyOptions(allow=("slice-missing",))).ok
    assert verify(wheel, VerifyOptions(allow=("slice-missing:tiny/*.so",))).ok
    assert not verify(wheel, VerifyOptions(allow=("slice-missing:other/*",))).ok


def test_a_record_excuses_only_the_code_that_it_is_about(breaker: WheelBreaker) -> None:
    """What loads one-sided code, and code of another architecture than is recorded, are errors."""
    assert verify(one_sided_by_rule(breaker)).ok
    other = breaker.files(mod=breaker.mod["x86_64"].read_bytes())
    assert Code.SLICE_MISSING in codes(verify(breaker.wheel({**other, **one_sided_record()})))
    arm, intel = breaker.mod["arm64"].read_bytes(), breaker.base["x86_64"].read_bytes()
    loading = breaker.files(mod=arm, base=intel)
    assert Code.LIBRARY_SLICE in codes(verify(breaker.wheel({**loading, **one_sided_record()})))


BIG = "int table[400000] = {1}; int base(void) { return table[1]; }"


@pytest.fixture
def big(breaker: WheelBreaker) -> dict[str, Path]:
    part = breaker.both("libbase.dylib", BIG)
    assert all(path.stat().st_size > spool.IN_MEMORY for path in part.values())
    return part


def test_a_spooled_binary_is_judged_like_a_small_one(
    breaker: WheelBreaker, big: dict[str, Path]
) -> None:
    verification = verify(
        breaker.wheel(breaker.files(base=big)), VerifyOptions(must_export=("table",))
    )
    assert verification.findings == ()
    assert verification.symbols.bound == 2
    content = bytearray(big["arm64"].read_bytes())
    for page in (3, 300):
        content[page * 4096] ^= 1
    big["arm64"].write_bytes(content)
    (bad,) = verify(breaker.wheel(breaker.files(base=big))).findings
    assert (bad.code, bad.slice) == (Code.SIGNATURE_PAGES, "arm64")
    assert bad.message.endswith("pages of 4096 bytes differ: 3, 300")


def test_findings_do_not_depend_on_the_number_of_threads(
    breaker: WheelBreaker, big: dict[str, Path]
) -> None:
    wheel = breaker.wheel(breaker.files(base=big, mod=breaker.mod["arm64"].read_bytes()))
    alone, many = (verify(wheel, VerifyOptions(workers=count)) for count in (1, 8))
    assert alone == many
    assert alone.findings


def test_no_room_for_temporary_files_is_told(breaker: WheelBreaker, big: dict[str, Path]) -> None:
    wheel = breaker.wheel(breaker.files(base=big))
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, limit[1]))
    try:
        with pytest.raises(WorkFailed, match="temporary file") as caught:
            verify(wheel)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert "TMPDIR" in caught.value.hint
