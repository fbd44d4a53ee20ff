"""Invoke tasks: flags in, one call, a result out.

A task imports the rooms that it calls when it runs: `--list` and a wrong flag wait for none.
"""
