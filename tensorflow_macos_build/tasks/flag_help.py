"""What `--help` says of flags that many tasks have."""

QUEUE = "The queue: a name in patches/, or a path with a slash."

CACHE = "The folder that holds the mirrors of upstream repositories."

TRIED = {
    "wheel": "The wheel's file; without one, --requirement or --python says what is tried.",
    "requirement": "A requirement in the place of a wheel: tensorflow-cpu==2.16.2.",
    "python": "The Python of the environment, by path or version; alone: try what it has.",
    "plugin": "A plugin's wheel to install beside it.",
    "wheelhouse": "A folder of wheels in the place of the index.",
    "constraints": "A file of constraints, as pip takes it.",
    "reference": "The device that it is compared with; the default is CPU:0.",
    "environment": "A folder in which the environments are kept for the next run.",
}
"""Of what a smoke test or a sweep tries, and in which environment."""
