"""Deflate streams joined without recompression."""
