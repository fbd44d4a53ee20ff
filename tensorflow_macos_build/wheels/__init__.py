"""Wheels: fuse two into a universal2 wheel, relocate, verify, thin, retag."""
