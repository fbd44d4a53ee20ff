"""Changing a queue: drop, fold, reorder, split and edit its patches."""
