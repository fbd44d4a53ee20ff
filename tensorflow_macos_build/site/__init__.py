"""One static site from JSON documents alone: what was released, and what was seen of it."""

from tensorflow_macos_build.site.engine import publish
from tensorflow_macos_build.site.model import PublishedSite, SiteRequest

__all__ = ["PublishedSite", "SiteRequest", "publish"]
