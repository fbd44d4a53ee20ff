"""What a wheel says of itself: name, tags, WHEEL, RECORD, and where its files go."""
