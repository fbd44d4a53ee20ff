"""The machine code in a wheel: its slices and their load commands."""
