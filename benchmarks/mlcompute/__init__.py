"""Old programs of Apple's fork on today's TensorFlow: see `__main__`."""
