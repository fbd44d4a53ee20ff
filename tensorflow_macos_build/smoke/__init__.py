"""Proving that an installed wheel computes and trains, and on which device."""
