"""A small TensorFlow and plugins for it, as wheels of real Mach-O files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.wheel_files import WheelFiles

if TYPE_CHECKING:
    from pathlib import Path

    from tests.machos import Toolchain

ARM64 = "cp311-cp311-macosx_12_0_arm64"
CORE = "libtensorflow_framework.2.dylib"
MODULE = "tensorflow/python/_pywrap.so"
PLUGIN = "tensorflow-plugins/libplug.dylib"
HERE = ("-rpath", "@loader_path/../tensorflow")
EXPORTED = "int TF_One(void) { return 1; } int TF_Two(void) { return 2; }"


class PluginMaker:
    """Makes TensorFlow's wheel, and plugins that are linked with libraries of its names."""

    def __init__(self, tools: Toolchain, folder: Path) -> None:
        self.tools = tools
        self.folder = folder

    def core(self, source: str = EXPORTED, arch: str = "arm64", *flags: str | Path) -> Path:
        """Make TensorFlow's library; a plugin may be linked with another than is in the wheel."""
        return self.tools.dylib(CORE, source, arch, *flags)

    def tensorflow(
        self,
        core: Path | None = None,
        others: dict[str, bytes] | None = None,
        *,
        version: str = "2.21.0",
        module: str = "int TF_Hidden(void) { return 3; }",
        name: str = "tensorflow",
    ) -> Path:
        """Make the wheel: the library, and a module that loads it as Python's extensions do."""
        core = self.core() if core is None else core
        uses = f"{module} extern int TF_One(void); int PyInit(void) {{ return TF_One(); }}"
        stub = self.core("int TF_One(void) { return 1; }")
        made = self.tools.dylib("_pywrap.so", uses, "arm64", "-rpath", "@loader_path/..", stub)
        files = {f"tensorflow/{CORE}": core.read_bytes(), MODULE: made.read_bytes()}
        wheel = WheelFiles({**files, **(others or {})}, name, version, ARM64)
        return wheel.write(self.folder)

    def image(self, source: str, *flags: str | Path, arch: str = "arm64") -> Path:
        """Make a plugin's library; its rpath leads into the wheel of TensorFlow."""
        return self.tools.dylib("libplug.dylib", source, arch, *HERE, *flags)

    def plugin(self, image: Path | bytes, member: str = PLUGIN, requires: str = "") -> Path:
        """Make a plugin's wheel."""
        content = image if isinstance(image, bytes) else image.read_bytes()
        wheel = WheelFiles({member: content}, "plug", "0.1", ARM64)
        contents = wheel.contents()
        if requires:
            contents[f"{wheel.dist_info}/METADATA"] += f"Requires-Dist: {requires}\n".encode()
        return wheel.write(self.folder, contents)
