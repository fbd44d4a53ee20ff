"""A queue opened with its upstream; changes brought in, and taken elsewhere."""
