"""What the flags of verify ask for, with a config and without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.tasks.verify import verify_options

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest


def test_the_configs_symbols_and_accepted_findings_count_beside_the_flags(
    config: Callable[[str], str],
) -> None:
    path = config('verify: {must_export: ["@c_api"], allow: [rpath-misses]}\n')
    options = verify_options(["TF_A"], ["minos-differs"], path)
    assert options.must_export == ("@c_api", "TF_A")
    assert options.allow == ("rpath-misses", "minos-differs")


def test_symbols_are_a_name_a_list_or_a_files_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "names").write_text("TF_A # why\n\nTF_B\n")
    (tmp_path / "@c_api").write_text("TF_C\n")
    monkeypatch.chdir(tmp_path)
    options = verify_options(["names", "TF_D", "@c_api"], [], "")
    assert options.must_export == ("TF_A", "TF_B", "TF_D", "@c_api")
