"""What became of each patch, with the evidence: statuses, upstream's history, blame."""
