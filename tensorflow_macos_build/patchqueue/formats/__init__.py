"""Patch formats as values: bytes in, values out, and the same bytes back.

Everything here is pure: no files, no git. What cannot be read, or must not be applied, is refused
with the patch, the line and the reason.
"""
