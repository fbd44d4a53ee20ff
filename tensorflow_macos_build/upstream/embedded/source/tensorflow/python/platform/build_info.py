"""What this wheel is, for people: the command `tf_build_info`."""

from tensorflow.python.framework import config, test_util, versions


def main():
    """Print the version, what is compiled in, and the devices."""
    print("TensorFlow", versions.VERSION)
    print("CUDA:", test_util.is_built_with_cuda(), "XLA:", test_util.is_built_with_xla())
    for device in config.list_physical_devices():
        print(device.device_type, device.name)
