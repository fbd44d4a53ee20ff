"""Conflicts whose answer can be proven: proposed by class, never taken without being asked for."""
