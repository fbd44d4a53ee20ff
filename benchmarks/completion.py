"""Whether bash, zsh and fish complete words of the command line, and how long a word takes.

    .venv/bin/python -m benchmarks.completion

Each shell that is on this machine runs as a person's does, with what `self.install` puts into an
empty home; zsh is asked on a terminal of its own (zsh/zpty), for it completes on no other.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from benchmarks import measure
from tensorflow_macos_build import checkout

EXPECTED = {
    "inv fus": "fuse",
    "inv build de": "demo",
    "inv rebase --queue=de": "demo",
    "inv build --until build:ar": "arm64",
    "inv patches.drop --queue demo 008": "00800-",
    "inv verify tests/unit/tas": "ks/",
}

BASH = """\
. "$HOME/.local/share/bash-completion/completions/inv"
COMP_LINE=$1 COMP_POINT=${#1}; read -ra COMP_WORDS <<<"${1//[=:]/ & }"
COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _inv inv 2>/dev/null; printf '%s\\n' "${COMPREPLY[@]}"
"""

ZSH = """\
zmodload zsh/zpty; zpty z zsh -f -i
zpty -w z 'fpath=(~/.local/share/zsh/site-functions $fpath); autoload -U compinit; compinit -u'
zpty -w z 'print rea''dy'; zpty -r z out '*ready*'
zpty -n -w z "$1"$'\\t'; zpty -r z out "*$2*"; print -r -- "$out"
"""
"""zpty reads until what is expected has come, however long that takes."""

FISH = 'complete -C "$argv[1]"'

SHELLS = {"bash": ["-c", BASH, "bash"], "zsh": ["-c", ZSH, "zsh"], "fish": ["-c", FISH]}


def _completes(argv: list[str], expected: str, variables: dict[str, str]) -> bool:
    try:
        done = subprocess.run(argv, env=variables, check=False, capture_output=True, timeout=60)
    except subprocess.TimeoutExpired:
        return False
    return expected.encode() in done.stdout


def main() -> None:
    print(measure.machine())
    with tempfile.TemporaryDirectory() as home:
        inv = str(checkout.root() / "scripts/inv")
        variables = {
            **os.environ,
            "HOME": home,
            "PATH": f"{home}/.local/bin{os.pathsep}{os.environ['PATH']}",
        }
        subprocess.run([inv, "self.install"], env=variables, check=True, capture_output=True)
        for shell, words in SHELLS.items():
            if shutil.which(shell) is None:
                print(f"{shell}: not on this machine")
                continue
            for line, expected in EXPECTED.items():
                is_completed = _completes([shell, *words, line, expected], expected, variables)
                verdict = "completed" if is_completed else "NOT completed"
                print(f"{shell}: {line}: {verdict}", flush=True)
        run = measure.in_child(
            lambda: subprocess.run([inv, "--complete", "--", "fus"], env=variables, check=True)
        )
        print(f"a word takes {run.cpu_seconds:.2f} s of CPU, {run.seconds:.2f} s")


if __name__ == "__main__":
    os.chdir(Path(__file__).parents[1])
    main()
