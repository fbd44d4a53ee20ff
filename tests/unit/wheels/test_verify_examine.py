"""What is found in a member does not depend on how its stream is cut into pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.wheels.verify import examine, spool, verify
from tests.broken_wheels import BASE, hide
from tests.wheel_files import WheelFiles

if TYPE_CHECKING:
    from pathlib import Path

    from tests.machos import Toolchain

LC_UUID = 0x1B


@pytest.mark.parametrize("chunk", [1, 3, 7, 8, 9, 15, 17, 4095])
def test_findings_do_not_depend_on_how_the_stream_is_cut(
    toolchain: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    content = bytearray(toolchain.dylib("libbase.dylib", BASE, "arm64").read_bytes())
    hide(LC_UUID)(content)
    ending = toolchain.archive("libbase.a", toolchain.object(BASE, "x86_64")).read_bytes()
    files = {
        "a/libbase.dylib": bytes(content), "a/libbase.a": ending, "a/short": ending[:7],
        "a/empty": b"", "a/magic": ending[:8],
    }  # fmt: skip
    wheel = WheelFiles(files, tag="cp311-cp311-macosx_12_0_arm64").write(tmp_path)
    whole = verify(wheel)
    assert whole.binaries == 3
    assert {"uuid-missing", "signature-pages", "slice-extra"} <= {
        one.code.slug for one in whole.findings
    }
    monkeypatch.setattr(examine, "CHUNK", chunk)
    assert verify(wheel) == whole
    # What is spooled to a file is cut at other places than what stays in memory.
    monkeypatch.setattr(spool, "IN_MEMORY", 64)
    assert verify(wheel) == whole
