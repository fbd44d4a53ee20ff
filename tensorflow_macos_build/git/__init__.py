"""git as values: a repository, its objects, trees, differences and merges."""
