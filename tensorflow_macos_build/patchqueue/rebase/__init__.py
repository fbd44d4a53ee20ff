"""A whole queue moved to another revision of upstream, at once or conflict by conflict."""
