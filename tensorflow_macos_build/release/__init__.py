"""What is published, and the workflows that publish it."""
