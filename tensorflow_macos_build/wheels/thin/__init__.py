"""One architecture taken out of a fused wheel."""
