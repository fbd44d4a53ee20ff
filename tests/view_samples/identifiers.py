"""What stands for a commit, a file's hash and a queue's flags."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
ID = "0123456789abcdef0123456789abcdef01234567"
SHA256 = "0" * 64
FLAGS = ("--queue", "demo")
