"""Verify a folder of wheels and list what is found: a search for false alarms.

    python -m benchmarks.verify_popular FOLDER

Made for wheels of popular projects, downloaded for macOS by
`pip download --no-deps --only-binary=:all: --platform macosx_14_0_arm64 -d FOLDER NAME…`.
Ends with 1 when a wheel has an error, so that each one gets looked at.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from pathlib import Path

from tensorflow_macos_build.wheels.verify import Severity, verify


def main() -> int:
    """Verify the wheels in order of their names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    wheels = sorted(parser.parse_args().folder.rglob("*.whl"))
    broken = 0
    for wheel in wheels:
        begun = time.perf_counter()
        verification = verify(wheel)
        seconds = time.perf_counter() - begun
        counts = Counter(
            f"{finding.severity.value} {finding.code.slug}" for finding in verification.findings
        )
        listed = (
            ", ".join(f"{number} {what}" for what, number in sorted(counts.items())) or "nothing"
        )
        print(f"{seconds:5.2f} s  {verification.slices:3} slices  {wheel.name}: {listed}")
        for finding in verification.findings:
            if finding.severity is Severity.ERROR:
                where = f"{finding.code.slug} {finding.file} ({finding.slice})"
                print(f"         {where}: {finding.message}")
        broken += not verification.ok
    print(f"{len(wheels)} wheels, {broken} with errors")
    return 1 if broken or not wheels else 0


if __name__ == "__main__":
    raise SystemExit(main())
