"""What `--help` says of flags that many tasks have."""

QUEUE = "The queue: a name in patches/, or a path with a slash."

CACHE = "The folder that holds the mirrors of upstream repositories."
