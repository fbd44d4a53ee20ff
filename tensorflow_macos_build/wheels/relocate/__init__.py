"""Libraries from outside brought into a wheel."""
