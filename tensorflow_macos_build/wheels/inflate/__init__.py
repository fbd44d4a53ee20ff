"""Deflate streams inflated, by the fastest zlib that is installed."""
