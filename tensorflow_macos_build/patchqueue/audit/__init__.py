"""What merges cleanly and may still not build: names that a queue uses and upstream took away."""
