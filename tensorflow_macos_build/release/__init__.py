"""The changelog of a release, and the workflow files of its CI."""
