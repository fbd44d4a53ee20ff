from tensorflow_macos_build import errors


def test_an_error_reads_where_what_detail_hint() -> None:
    error = errors.UsageError(
        "no key `pyton`", where="a.yaml:3:1", hint="use `python`", detail="x\ny"
    )
    assert str(error) == "a.yaml:3:1: no key `pyton`\n    x\n    y\nhint: use `python`"


def test_exit_codes_are_those_of_the_contract() -> None:
    codes = {
        errors.WorkFailed: 1,
        errors.UsageError: 2,
        errors.BudgetReached: 75,
        errors.Interrupted: 130,
    }
    assert {kind: int(kind("x").exit_code) for kind in codes} == codes
