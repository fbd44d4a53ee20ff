"""What workflows ask of GitHub's API: rounds that follow each other, and one issue."""
