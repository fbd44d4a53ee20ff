"""Make the environment of a checkout: `python scripts/environment CHECKOUT [GROUP …]`.

scripts/inv calls it; a group is a dependency group of pyproject.toml.

It runs on any Python 3.10 before anything is installed, so it imports the standard library only.
Python puts a folder that it is told to run on its path, with -I, too; so the modules here import
each other by their plain names.

Exit status: 0 done; 1 an installation failed; 2 something is missing that a person must install.
"""

from __future__ import annotations

import sys
from pathlib import Path

import store
from programs import Fault
from progress import say

if __name__ == "__main__":
    try:
        store.renew(Path(sys.argv[1]), sys.argv[2:])
    except Fault as fault:
        say(str(fault))
        sys.exit(fault.status)
    except OSError as error:
        say(f"cannot set .venv up: {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        say("interrupted; run the same command again to go on")
        sys.exit(130)
