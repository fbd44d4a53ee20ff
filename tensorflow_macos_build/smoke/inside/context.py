"""What a check is given: the module, the devices, and how its run was asked for."""

from typing import Any, Dict, Tuple

from .lazy import np


class Context:
    """What a check is given.

    Attributes:
        tf: the imported module.
        device: the device that is tried, such as `GPU:0`.
        reference: the device whose results are compared with, such as `CPU:0`.
        quick: whether the quick set runs: smaller sizes, fewer steps.
        virtual: whether the device is a virtual GPU, which is held to float32 only.
        options: further values that the run was given.
        log: the file that holds what this process has printed, TensorFlow's lines among them.
    """

    def __init__(self, tf: Any, spec: "Dict[str, Any]") -> None:
        self.tf = tf
        self.device = str(spec["device"])
        self.reference = str(spec["reference"])
        self.quick = bool(spec.get("quick", False))
        self.virtual = bool(spec.get("virtual", False))
        self.options = dict(spec.get("options", {}))  # type: Dict[str, Any]
        self.log = str(spec.get("log", ""))

    @property
    def np(self) -> Any:
        """NumPy, as the environment has it."""
        return np

    @property
    def keras(self) -> Any:
        """The Keras that the module brings, `tf.keras`."""
        return self.tf.keras

    @property
    def keras_version(self) -> int:
        """The major version of that Keras, 2 or 3."""
        # tf.keras has a version of its own since 2.0; the miniature's has none, and is Keras 2.
        return int(str(getattr(self.tf.keras, "__version__", "2")).partition(".")[0])

    @property
    def tf_version(self) -> "Tuple[int, ...]":
        """The module's version in numbers: (2, 16, 2)."""
        numbers = str(self.tf.__version__).split("-")[0].split("+")[0].split(".")
        return tuple(int(number) for number in numbers[:3] if number.isdigit())

    def rng(self, seed: int) -> Any:
        """Return a generator of random numbers (`numpy.random.RandomState`), the same each time."""
        return self.np.random.RandomState(seed)

    def on(self, device: str) -> Any:
        """Return a context manager in which ops are placed on a device such as `GPU:0`."""
        return self.tf.device("/device:" + device)

    def soft_placement(self, enabled: bool) -> None:
        """Let ops without a kernel for their device run elsewhere, as `fit` needs for its data."""
        # The miniature has no such switch, and places nothing elsewhere.
        switch = getattr(self.tf.config, "set_soft_device_placement", None)
        if switch is not None:
            switch(enabled)

    def listed_devices(self) -> "Tuple[str, ...]":
        """Return the devices that the module lists, such as `CPU:0`, sorted."""
        config = self.tf.config
        # A CPU that was split has logical devices that are not physical ones.
        ask = getattr(config, "list_logical_devices", config.list_physical_devices)
        # `/device:GPU:0` or `/physical_device:GPU:0`
        return tuple(sorted(device.name.rpartition("device:")[2] for device in ask()))


def split_cpu(tf: Any, *devices: str) -> None:
    """Make as many CPU devices as are named, before anything has used the first.

    So one machine has two devices to compare, without a GPU: `CPU:1` against `CPU:0`.
    """
    indices = [int(name.partition(":")[2]) for name in devices if name.startswith("CPU:")]
    if max(indices, default=0) > 0:
        cpu = tf.config.list_physical_devices("CPU")[0]
        parts = [tf.config.LogicalDeviceConfiguration() for _ in range(max(indices) + 1)]
        tf.config.set_logical_device_configuration(cpu, parts)
