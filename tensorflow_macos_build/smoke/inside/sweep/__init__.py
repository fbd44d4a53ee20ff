"""The sweep's end inside an environment: lists kernels, and calls each on two devices."""
