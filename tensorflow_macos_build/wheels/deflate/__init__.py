"""Deflate streams: inflated with their bit positions, and joined without recompression."""
