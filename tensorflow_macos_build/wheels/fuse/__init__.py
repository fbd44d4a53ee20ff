"""Two wheels, one for each architecture, joined into one universal2 wheel."""
