"""What reviewers of a queue read: its lint, and an old queue against a new one."""
