"""The queue as a value and as a folder: its patches, their storage, the commits that they are."""
