"""The in-memory replay of patches on another tree, its conflicts, and recorded resolutions."""
