"""The upstream repository: its mirror, its releases, and the embedded miniature."""
