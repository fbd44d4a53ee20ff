"""A release from what a build left in dist/, and the check of one that was published."""
