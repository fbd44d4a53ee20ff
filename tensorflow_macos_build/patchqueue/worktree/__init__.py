"""The folder in which a person works on a conflict or a patch: whose it is, and what is in it."""
