"""Keep a Mac fork of TensorFlow alive: rebase its patches, build, fuse, prove and publish."""

__version__ = "0.1.0"
