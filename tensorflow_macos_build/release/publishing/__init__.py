"""Publishing a prepared release: a pure plan, one loop, and a door for each destination."""
