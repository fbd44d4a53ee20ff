"""The stages of a build, their keys and stamps; the only place that knows their order."""
