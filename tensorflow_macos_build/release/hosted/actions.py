"""GitHub's API for workflows: runs, their jobs and artifacts, and a dispatch; and for issues.

Source: https://docs.github.com/rest/actions and /rest/issues (version 2022-11-28).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.release.hosted.rounds import RoundRun, RoundTitle
from tensorflow_macos_build.release.publishing import github, secrets
from tensorflow_macos_build.release.publishing.http import patiently
from tensorflow_macos_build.retry import Retry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tensorflow_macos_build.release.publishing.http import Api

_LONGEST_WAIT = 300.0
"""Seconds that a server may ask to wait; a job on GitHub's machines is paid while it waits."""


@dataclass(frozen=True)
class Artifact:
    """What a run has left.

    Attributes:
        url: where its zip file is.
        size: of that, in bytes.
        digest: its SHA-256; "" where the server does not say.
        run: the run's number.
        branch: the run's branch or tag.
    """

    url: str
    size: int
    digest: str
    run: int
    branch: str


@dataclass(frozen=True)
class Repository:
    """A repository with workflows.

    Attributes:
        api: the API.
        address: its address, without a slash at the end.
        name: OWNER/NAME.
        retry: how often what may work later is tried again.
    """

    api: Api
    address: str
    name: str
    retry: Retry = field(default_factory=Retry)

    @property
    def _root(self) -> str:
        return f"{self.address}/repos/{self.name}"

    def get(self, path: str) -> Any:
        """Return the JSON value at a path of the repository."""
        url = f"{self._root}/{path}"
        return patiently(lambda: self.api.call("GET", url).value, self.retry, _LONGEST_WAIT)

    def send(self, method: str, path: str, value: Mapping[str, Any], expected: int) -> Any:
        """Send a JSON value to a path of the repository; return the answer's."""
        url = f"{self._root}/{path}"
        return patiently(
            lambda: self.api.call(method, url, value=dict(value), expected=(expected,)).value,
            self.retry,
            _LONGEST_WAIT,
        )

    def stream(self, url: str, limit: int) -> Iterator[bytes]:
        """Yield the bytes of a file that the API names, and not more than `limit`."""
        return self.api.stream(url, limit=limit)

    def round_of(self, run: int, workflow: str, parts: list[str]) -> tuple[RoundRun, str]:
        """Return a round by its run's number, and the branch or tag that it is of.

        Raises:
            UsageError: it is the run of no round.
        """
        row = self.get(f"actions/runs/{run}")
        title = RoundTitle.parse(str(row["display_title"]))
        if title is None:
            raise UsageError("its title is that of no round", where=f"run {run}")
        branch = str(row["head_branch"])
        successor = any(int(other["id"]) > run for other in self.rounds(workflow, branch))
        names = [str(each["name"]) for each in self._listed(run, "artifacts")]
        steps = {part: self._failed(run, part) for part in parts}
        return RoundRun(title, steps, names, successor), branch

    def rounds(self, workflow: str, branch: str) -> list[dict[str, Any]]:
        """Return the newest runs of a workflow that are rounds, the newest first."""
        query = f"event=workflow_dispatch&per_page=30&branch={quote(branch, safe='')}"
        rows = self.get(f"actions/workflows/{quote(workflow)}/runs?{query}")["workflow_runs"]
        own = [row for row in rows if RoundTitle.parse(str(row["display_title"]))]
        return sorted(own, key=lambda row: -int(row["id"]))

    def dispatch(self, workflow: str, branch: str, title: RoundTitle) -> None:
        """Start a round."""
        inputs = {
            "round": str(title.number),
            "failures": str(title.failures),
            "since": str(title.since),
            "tag": title.tag,
        }
        body = {"ref": branch, "inputs": inputs}
        self.send("POST", f"actions/workflows/{quote(workflow)}/dispatches", body, 204)

    def artifacts(self, name: str) -> list[Artifact]:
        """Return the artifacts of a name that are still there, the newest first.

        Those of forks are left out: their pull requests run here too, with workflows of their own,
        and their branch may be called as the one that is built.
        """
        rows = self.get(f"actions/artifacts?per_page=50&name={quote(name, safe='')}")["artifacts"]
        made = [
            Artifact(
                str(row["archive_download_url"]),
                int(row["size_in_bytes"]),
                str(row.get("digest") or "").removeprefix("sha256:"),
                int(row["workflow_run"]["id"]),
                str(row["workflow_run"]["head_branch"]),
            )
            for row in rows
            if not row["expired"] and row["name"] == name and _is_own(row["workflow_run"])
        ]
        return sorted(made, key=lambda artifact: -artifact.run)

    def _failed(self, run: int, part: str) -> list[str]:
        """Return the steps of a part's job that failed; jobs are named after their parts."""
        jobs = (job for job in self._listed(run, "jobs") if job["name"] == part)
        return [
            str(step["name"])
            for job in jobs
            for step in job.get("steps") or ()
            if step.get("conclusion") == "failure"
        ]

    def _listed(self, run: int, what: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.get(f"actions/runs/{run}/{what}?per_page=100")[what]
        return rows


def _is_own(run: Mapping[str, Any]) -> bool:
    """Whether a run is of a commit of the repository itself; what is not said is not so."""
    origin = run.get("head_repository_id")
    return origin is not None and origin == run.get("repository_id")


def open_repository(name: str, address: str) -> Repository:
    """Return a repository by its name, with the token of the environment.

    Args:
        name: OWNER/NAME.
        address: the API's, as `destinations.checked_address` returns it.

    Raises:
        UsageError: the name is none, or there is no token.
    """
    github.check_repository(name)
    secret = secrets.needed(github.TOKENS, urlsplit(address).netloc)
    return Repository(github.api(address, secret), address, name)
