"""The page of a build's report."""
