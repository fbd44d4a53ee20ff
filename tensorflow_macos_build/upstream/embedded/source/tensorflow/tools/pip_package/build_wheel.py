"""Writes a wheel from a manifest, the same bytes wherever and whenever it runs (PEP 427)."""

import argparse
import base64
import hashlib
import os
import stat
import zipfile

_METADATA = """\
Metadata-Version: 2.1
Name: {name}
Version: {version}
Summary: TensorFlow in miniature: its layout and its build, with a small real computation.
License: Apache 2.0
Requires-Python: >=3.9
Description-Content-Type: text/markdown
License-File: LICENSE

# TensorFlow in miniature

It has the layout, the build and the names of TensorFlow, and trains a small model in C.
"""

_WHEEL = """\
Wheel-Version: 1.0
Generator: build_wheel
Root-Is-Purelib: false
Tag: {tag}
"""

_ENTRY_POINTS = """\
[console_scripts]
tf_build_info = tensorflow.python.platform.build_info:main
"""

_FIRST_DATE = (1980, 1, 1, 0, 0, 0)  # the oldest that a zip file can name


def _arguments():
    parser = argparse.ArgumentParser(prog="build_pip_package")
    parser.add_argument("--root", default=".", help="where the files below are")
    parser.add_argument("--manifest", required=True, help="lines of PLACE<tab>FILE")
    parser.add_argument("--license", required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--tag", required=True)
    parser.add_argument("--project_name", default="tensorflow")
    parser.add_argument("--out", required=True, metavar="OUTPUT_DIR")
    parser.add_argument("--verbose", action="store_true", help="say where the wheel is")
    return parser.parse_args()


def _read(options, path):
    with open(os.path.join(options.root, path), "rb") as stream:
        return stream.read()


def _manifest(options):
    lines = _read(options, options.manifest).decode("utf-8").splitlines()
    return dict(line.split("\t") for line in lines)


def _members(options, name):
    """Every file of the wheel but RECORD, as place -> bytes."""
    info = "%s-%s.dist-info/" % (name, options.version)
    members = {place: _read(options, path) for place, path in _manifest(options).items()}
    members[info + "METADATA"] = _METADATA.format(
        name=options.project_name, version=options.version
    ).encode()
    members[info + "WHEEL"] = _WHEEL.format(tag=options.tag).encode()
    members[info + "LICENSE"] = _read(options, options.license)
    members[info + "entry_points.txt"] = _ENTRY_POINTS.encode()
    members[info + "top_level.txt"] = b"tensorflow\n"
    return info, members


def _record(info, members):
    lines = []
    for place in sorted(members):
        digest = base64.urlsafe_b64encode(hashlib.sha256(members[place]).digest())
        lines.append("%s,sha256=%s,%d" % (place, digest.rstrip(b"=").decode(), len(members[place])))
    return "\n".join([*lines, info + "RECORD,,"]) + "\n"


def _is_library(place):
    return ".so" in os.path.basename(place) or place.endswith(".dylib")


def _add(archive, place, content):
    entry = zipfile.ZipInfo(place, _FIRST_DATE)
    entry.create_system = 3  # Unix, so that the mode counts
    entry.external_attr = (stat.S_IFREG | (0o755 if _is_library(place) else 0o644)) << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, content, compresslevel=6)


def main():
    """Write the wheel into the output folder."""
    options = _arguments()
    name = options.project_name.replace("-", "_").replace(".", "_")
    info, members = _members(options, name)
    os.makedirs(options.out, exist_ok=True)
    wheel = os.path.join(options.out, "%s-%s-%s.whl" % (name, options.version, options.tag))
    with zipfile.ZipFile(wheel, "w") as archive:
        for place in sorted(members, key=lambda place: (place.startswith(info), place)):
            _add(archive, place, members[place])
        _add(archive, info + "RECORD", _record(info, members).encode())
    if options.verbose:
        print(wheel)


if __name__ == "__main__":
    main()
