"""What TensorFlow's own files say of how it is built, read without running any of them."""
