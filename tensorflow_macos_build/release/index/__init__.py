"""A static package index: files that any web server can serve, and pip and uv install from."""

from tensorflow_macos_build.release.index.engine import publish
from tensorflow_macos_build.release.index.model import IndexRequest, PublishedIndex

__all__ = ["IndexRequest", "PublishedIndex", "publish"]
