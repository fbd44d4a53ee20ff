"""The devices of this machine."""

import collections

from tensorflow.python import _pywrap_tensorflow_internal

PhysicalDevice = collections.namedtuple("PhysicalDevice", ["name", "device_type"])


def list_physical_devices(device_type=None):
    """The devices that ops can run on, all or those of one type such as "CPU" or "GPU"."""
    found = [
        PhysicalDevice("/physical_device:" + name.split("/device:")[1], kind)
        for kind, name in _pywrap_tensorflow_internal.devices()
    ]
    return [device for device in found if device_type in (None, device.device_type)]
