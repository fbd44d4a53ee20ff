"""The queue of fork patches: its formats, its storage, its replay onto a new upstream."""
