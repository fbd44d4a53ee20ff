"""Mach-O and universal files, read and laid out as the system's headers define them."""
