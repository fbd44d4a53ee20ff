"""Picks: named by people, pinned to commits, and compared with what their server has now."""
