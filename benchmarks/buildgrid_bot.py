"""A worker of BuildGrid: takes leases by its Bots service and runs their actions in a folder.

    BGD_ENVIRONMENT/bin/python benchmarks/buildgrid_bot.py ADDRESS FOLDER WORKERS

It runs in BuildGrid's own environment, whose protocols it speaks. ADDRESS is host and port; WORKERS
actions are run at once, each in a folder of its own below FOLDER, with no sandbox: it is for
`benchmarks.caches` on one machine, and nothing else.

What it does is Google's remote workers API (v1test2/bots.proto) and Bazel's remote execution API
(v2/remote_execution.proto): a lease's payload is an action; its command runs above its input root;
its outputs go to the content-addressable storage; the result goes back with the lease.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import threading
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
from buildgrid._protos.build.bazel.remote.execution.v2 import remote_execution_pb2 as reapi
from buildgrid._protos.google.bytestream import bytestream_pb2, bytestream_pb2_grpc
from buildgrid._protos.google.devtools.remoteworkers.v1test2 import bots_pb2, bots_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK = 1 << 20

_LONGEST_SECONDS = 600
"""How long an action without a limit of its own may take."""

_POLL_SECONDS = 10
"""How long BuildGrid may hold an answer back until there is a lease."""


class Storage:
    """The content-addressable storage, by ByteStream, which has no bound on sizes."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._stub = bytestream_pb2_grpc.ByteStreamStub(channel)

    def read(self, digest: Any) -> bytes:
        """Return a blob."""
        name = f"blobs/{digest.hash}/{digest.size_bytes}"
        request = bytestream_pb2.ReadRequest(resource_name=name)
        return b"".join(answer.data for answer in self._stub.Read(request))

    def message(self, digest: Any, kind: type[Any]) -> Any:
        """Return a blob as a message."""
        return kind.FromString(self.read(digest))

    def write(self, content: bytes) -> Any:
        """Store a blob, and return its digest."""
        name = hashlib.sha256(content).hexdigest()
        resource = f"uploads/{uuid.uuid4()}/blobs/{name}/{len(content)}"
        self._stub.Write(_parts(resource, content))
        return reapi.Digest(hash=name, size_bytes=len(content))


def _parts(resource: str, content: bytes) -> Iterator[Any]:
    # An empty blob is one part, too.
    for start in range(0, max(1, len(content)), _BLOCK):
        part = content[start : start + _BLOCK]
        yield bytestream_pb2.WriteRequest(
            resource_name=resource,
            write_offset=start,
            data=part,
            finish_write=start + len(part) == len(content),
        )


class Workshop:
    """A folder in which one action after the other is run."""

    def __init__(self, storage: Storage, folder: Path) -> None:
        self._storage = storage
        self._folder = folder

    def run(self, action: Any) -> Any:
        """Run an action, and return its result."""
        shutil.rmtree(self._folder, ignore_errors=True)
        command = self._storage.message(action.command_digest, reapi.Command)
        self._put(action.input_root_digest, self._folder)
        home = self._folder / command.working_directory
        for path in (*command.output_files, *command.output_directories):
            (home / path).parent.mkdir(parents=True, exist_ok=True)
        ended = subprocess.run(
            command.arguments,
            cwd=home,
            env={variable.name: variable.value for variable in command.environment_variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=action.timeout.seconds or _LONGEST_SECONDS,
            check=False,
        )
        result = reapi.ActionResult(
            exit_code=ended.returncode, stdout_raw=ended.stdout, stderr_raw=ended.stderr
        )
        self._take_outputs(command, home, result)
        return result

    def _put(self, digest: Any, folder: Path) -> None:
        """Put a tree of inputs into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        directory = self._storage.message(digest, reapi.Directory)
        for file in directory.files:
            path = folder / file.name
            path.write_bytes(self._storage.read(file.digest))
            path.chmod(0o755 if file.is_executable else 0o644)
        for link in directory.symlinks:
            (folder / link.name).symlink_to(link.target)
        for child in directory.directories:
            self._put(child.digest, folder / child.name)

    def _take_outputs(self, command: Any, home: Path, result: Any) -> None:
        for name in command.output_files:
            path = home / name
            if path.is_file():
                result.output_files.add(path=name, **self._stored(path))
        for name in command.output_directories:
            if (home / name).is_dir():
                tree = reapi.Tree()
                tree.root.CopyFrom(self._directory(home / name, tree))
                digest = self._storage.write(tree.SerializeToString())
                result.output_directories.add(path=name, tree_digest=digest)

    def _stored(self, path: Path) -> dict[str, Any]:
        digest = self._storage.write(path.read_bytes())
        return {"digest": digest, "is_executable": os.access(path, os.X_OK)}

    def _directory(self, folder: Path, tree: Any) -> Any:
        """Return a folder as a message; those below it are added to its tree."""
        directory = reapi.Directory()
        for path in sorted(folder.iterdir()):
            if path.is_symlink():
                directory.symlinks.add(name=path.name, target=str(path.readlink()))
            elif path.is_dir():
                child = self._directory(path, tree)
                tree.children.append(child)
                content = child.SerializeToString()
                name = hashlib.sha256(content).hexdigest()
                directory.directories.add(
                    name=path.name, digest=reapi.Digest(hash=name, size_bytes=len(content))
                )
            else:
                directory.files.add(name=path.name, **self._stored(path))
        return directory


def work(channel: grpc.Channel, folder: Path) -> None:
    """Take leases one by one, without an end."""
    bots, storage = bots_pb2_grpc.BotsStub(channel), Storage(channel)
    workshop = Workshop(storage, folder)
    session = bots_pb2.BotSession(bot_id=folder.name, status=bots_pb2.OK)
    device = session.worker.devices.add(handle="cpu")
    device.properties.add(key="OSFamily", value="linux")
    request = bots_pb2.CreateBotSessionRequest(parent="", bot_session=session)
    session = bots.CreateBotSession(request, timeout=_POLL_SECONDS)
    while True:
        for lease in session.leases:
            if lease.state == bots_pb2.PENDING:
                lease.state = bots_pb2.ACTIVE
            elif lease.state == bots_pb2.ACTIVE:
                _serve(lease, storage, workshop)
        update = bots_pb2.UpdateBotSessionRequest(name=session.name, bot_session=session)
        session = bots.UpdateBotSession(update, timeout=_POLL_SECONDS)


def _serve(lease: Any, storage: Storage, workshop: Workshop) -> None:
    """Run what a lease is for, and put the result into it."""
    action = reapi.Action()
    if lease.payload.Is(action.DESCRIPTOR):
        lease.payload.Unpack(action)
    else:
        digest = reapi.Digest()
        lease.payload.Unpack(digest)
        action = storage.message(digest, reapi.Action)
    try:
        lease.result.Pack(workshop.run(action))
    except grpc.RpcError as error:  # of a build that was killed, whose inputs are gone
        lease.status.code = error.code().value[0]
    lease.state = bots_pb2.COMPLETED


def main(address: str, folder: Path, workers: int) -> None:
    """Work until this process is ended."""
    channel = grpc.insecure_channel(address)
    threads = [
        threading.Thread(target=work, args=(channel, folder / f"worker-{number}"))
        for number in range(workers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
