"""What becomes of a queue on several revisions of upstream, and which commit breaks it."""
