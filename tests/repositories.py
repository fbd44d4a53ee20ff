"""Small repositories made up by hypothesis: a base, upstream's commits, and a queue on the base.

The operations are those that make three-way merges hard: edits of neighbouring lines, renamed files
and folders, files that become folders, modes, links, submodules, attributes, changes that upstream
takes over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hypothesis import assume
from hypothesis import strategies as st

from tensorflow_macos_build.git.objects import decode_path
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.patchqueue.queue.model import QueueCommit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    Files = dict[str, tuple[str, bytes]]
    _Operation = Callable[[st.DrawFn, Files, str, Sequence[Files]], None]

FILE, EXECUTABLE, LINK, SUBMODULE = "100644", "100755", "120000", "160000"
PATTERNS = ("*", "f", "g", "a/*", "b/f", "/f")
ATTRIBUTES = (
    "merge=union", "merge=union", "merge=binary", "-merge", "binary", "-binary", "merge", "!merge",
    "merge=text", "merge=own", "eol=lf", "text eol=crlf", "working-tree-encoding=UTF-16",
    "conflict-marker-size=9", "-text", "filter=own",
)  # fmt: skip
FOLDERS = ("", "a/", "a/b/", "c/", "d/e/", "n/")


@dataclass(frozen=True)
class Case:
    """Whole trees: the base, then upstream's commits on it, and the queue's patches on it.

    A submodule's content is its commit's id.
    """

    base: Files
    upstream: tuple[Files, ...]
    patches: tuple[Files, ...]


@dataclass(frozen=True)
class Made:
    """A `Case` as a repository."""

    git: Git
    base: str
    onto: str
    upstream: tuple[str, ...]
    patches: tuple[str, ...]


def commits_of(git: Git, span: str) -> tuple[QueueCommit, ...]:
    """Return the commits of a range `A..B`, which is a line, as patches named by their number."""
    out = git.out("log", "-z", "--reverse", "--topo-order", "--format=%H%n%s%n%B", span, "--")
    records = (decode_path(record).split("\n", 2) for record in out.split(b"\0") if record)
    return tuple(QueueCommit(f"{at:04}", *record) for at, record in enumerate(records, 1))


def lines(name: str, count: int = 9) -> bytes:
    return b"".join(f"{name} line {number}\n".encode() for number in range(count))


BASE: Files = {
    path: (FILE, lines(path))
    for path in ("f", "a/f", "a/g", "a/b/f", "a/b/g", "c/f", "c/g", "d/e/f", "d/e/g")
}


@st.composite
def cases(draw: st.DrawFn, patches: int = 5, upstream: int = 3) -> Case:
    """Draw a case of up to so many patches and commits of upstream."""

    base = dict(BASE)
    for operation in draw(st.sampled_from(((), (_attributes,), (_attributes, _submodule)))):
        operation(draw, base, "", ())

    def history(count: int, donors: Sequence[Files]) -> list[Files]:
        trees = [base]
        for number in range(draw(st.integers(1, count))):
            files = dict(trees[-1])
            for _ in range(draw(st.integers(1, 3))):
                operate(draw, files, f"{len(donors)}.{number}", donors)
            trees.append(files)
        return trees

    theirs = history(upstream, ())
    return Case(base, tuple(theirs[1:]), tuple(history(patches, theirs)[1:]))


@st.composite
def one_sided(draw: st.DrawFn) -> Case:
    """Draw a case whose patches mostly change what one side lacks.

    They add what upstream adds, delete what it changes, and change or delete what it deletes.
    """

    def grown(start: Files, salt: str, donors: Sequence[Files], *operations: _Operation) -> Files:
        files = dict(start)
        for operation in (draw(st.sampled_from(operations)) for _ in range(3)):
            operation(draw, files, salt, donors)
        return files

    base = dict(BASE)
    if draw(st.booleans()):
        _attributes(draw, base, "", ())
    moving = (_add, _add, _rename, _rename, _rename_folder, _edit)
    deleting = (_delete, _delete, _delete, _rename, _add)
    upstream = grown(base, "upstream", (), *draw(st.sampled_from((moving, deleting))))
    kinds = ((_add_too, _edit), (_delete_changed, _edit), _ONE_SIDED, (_edit_gone, _delete_gone),
             (_edit_gone, _delete_gone, *_ONE_SIDED))  # fmt: skip
    trees = [base]
    for number in range(draw(st.integers(1, 3))):
        operations = draw(st.sampled_from(kinds))
        trees.append(grown(trees[-1], str(number), (upstream,), *operations))
    return Case(base, (upstream,), tuple(trees[1:]))


@st.composite
def on_a_conflict(draw: st.DrawFn) -> Case:
    """Draw a case whose first patch conflicts, and whose others change files that it adds.

    Upstream goes on with commits that mostly change contents alone; some add a file that is like
    one that the patch adds, so that git takes it for renamed to that.
    """
    added = {path: (FILE, lines(path)) for path in ("a/new", "n/new", "n/other")}

    def grown(start: Files, salt: str, *operations: _Operation) -> Files:
        files = dict(start)
        for _ in range(draw(st.integers(1, 4))):
            draw(st.sampled_from(operations))(draw, files, salt, ())
        return files

    line = [BASE | {"f": (FILE, lines("upstream"))}]
    for number in range(draw(st.integers(1, 4))):
        line.append(grown(line[-1], f"edit {number}", *5 * (_edit,), _insert, _add, _rename))
        if draw(st.integers(0, 5)) == 5:
            path = draw(st.sampled_from(sorted(added)))
            line[-1][f"like/{path}"] = added[path]
    trees = [BASE, BASE | {"f": (FILE, lines("patch"))} | added]
    for number in range(draw(st.integers(1, 4))):
        trees.append(grown(trees[-1], str(number), *4 * (_edit,), _insert, _delete, _rename))
    return Case(BASE, tuple(line), tuple(trees[1:]))


def operate(draw: st.DrawFn, files: Files, salt: str, donors: Sequence[Files]) -> None:
    operations = (_edit, _edit, _edit, _insert, _delete_line, _add, _delete, _rename, _rename,
                  _rename_folder, _mode, _link, _to_folder, _to_file, _take_over,
                  _attributes, _submodule)  # fmt: skip
    operation = draw(st.sampled_from(operations))
    if files:
        operation(draw, files, salt, donors)


def _pick(draw: st.DrawFn, files: Files) -> str:
    return draw(st.sampled_from(sorted(files)))


def _alter(
    draw: st.DrawFn, files: Files, change: Callable[[list[bytes], int], list[bytes]]
) -> None:
    path = _pick(draw, files)
    mode, content = files[path]
    if mode in (FILE, EXECUTABLE):
        rows = content.splitlines(keepends=True)
        files[path] = (mode, b"".join(change(rows, draw(st.integers(0, max(0, len(rows) - 1))))))


def _edit(draw: st.DrawFn, files: Files, salt: str, _: Sequence[Files]) -> None:
    _alter(draw, files, lambda rows, at: [*rows[:at], f"{salt}\n".encode(), *rows[at + 1 :]])


def _insert(draw: st.DrawFn, files: Files, salt: str, _: Sequence[Files]) -> None:
    end = draw(st.sampled_from(("\n", "\n", "\r\n")))
    _alter(draw, files, lambda rows, at: [*rows[:at], f"+{salt}{end}".encode(), *rows[at:]])


def _delete_line(draw: st.DrawFn, files: Files, _: str, __: Sequence[Files]) -> None:
    _alter(draw, files, lambda rows, at: [*rows[:at], *rows[at + 1 :]])


def is_free(files: Files, path: str) -> bool:
    parts = path.split("/")
    above = {"/".join(parts[:count]) for count in range(1, len(parts) + 1)}
    return not above & set(files) and not any(other.startswith(f"{path}/") for other in files)


def _place(draw: st.DrawFn, files: Files) -> str | None:
    path = draw(st.sampled_from(FOLDERS)) + draw(st.sampled_from(("f", "g", "h", "new")))
    return path if is_free(files, path) else None


def _add(draw: st.DrawFn, files: Files, salt: str, _: Sequence[Files]) -> None:
    if path := _place(draw, files):
        name = draw(st.sampled_from((salt, "same")))
        files[path] = (FILE, lines(name) + draw(st.sampled_from((b"", b"no end"))))


def _delete(draw: st.DrawFn, files: Files, _: str, __: Sequence[Files]) -> None:
    del files[_pick(draw, files)]


def _rename(draw: st.DrawFn, files: Files, salt: str, __: Sequence[Files]) -> None:
    old = _pick(draw, files)
    if new := _place(draw, files):
        mode, content = files.pop(old)
        more = draw(st.sampled_from((b"", f"{salt} moved\n".encode())))
        files[new] = (mode, content + (more if mode in (FILE, EXECUTABLE) else b""))


def _rename_folder(draw: st.DrawFn, files: Files, _: str, __: Sequence[Files]) -> None:
    old = draw(st.sampled_from([folder for folder in FOLDERS if folder]))
    new = draw(st.sampled_from(("m/", "n/", "c/", "a/z/")))
    for path in [path for path in sorted(files) if path.startswith(old)]:
        moved = new + path.removeprefix(old)
        if is_free({**files, path: files[path]}, moved) and not new.startswith(old):
            files[moved] = files.pop(path)


def _mode(draw: st.DrawFn, files: Files, _: str, __: Sequence[Files]) -> None:
    path = _pick(draw, files)
    mode, content = files[path]
    if mode in (FILE, EXECUTABLE):
        files[path] = (EXECUTABLE if mode == FILE else FILE, content)


def _link(draw: st.DrawFn, files: Files, salt: str, __: Sequence[Files]) -> None:
    files[_pick(draw, files)] = (LINK, salt.encode())


def _submodule(draw: st.DrawFn, files: Files, _: str, __: Sequence[Files]) -> None:
    submodules = [path for path, (mode, _) in files.items() if mode == SUBMODULE]
    path = draw(st.sampled_from([*submodules, "sub", "a/sub"]))
    if path in submodules or is_free(files, path):
        files[path] = (SUBMODULE, draw(st.sampled_from("123")).encode() * 40)


def _attributes(draw: st.DrawFn, files: Files, _: str, __: Sequence[Files]) -> None:
    path = draw(st.sampled_from(("", "", "a/", "c/"))) + ".gitattributes"
    if path in files or is_free(files, path):
        rules = st.tuples(st.sampled_from(PATTERNS), st.sampled_from(ATTRIBUTES))
        rows = [f"{pattern} {value}\n" for pattern, value in draw(st.lists(rules, max_size=3))]
        files[path] = (FILE, "".join(rows).encode())


def _to_folder(draw: st.DrawFn, files: Files, salt: str, __: Sequence[Files]) -> None:
    path = _pick(draw, files)
    content = files.pop(path)
    files[f"{path}/inner"] = draw(st.sampled_from((content, (FILE, lines(salt)))))


def _to_file(draw: st.DrawFn, files: Files, salt: str, __: Sequence[Files]) -> None:
    folder = draw(st.sampled_from([folder for folder in FOLDERS if folder]))
    inside = [path for path in files if path.startswith(folder)]
    for path in inside:
        del files[path]
    if inside:
        files[folder.rstrip("/")] = (FILE, lines(salt))


def _take_over(draw: st.DrawFn, files: Files, _: str, donors: Sequence[Files]) -> None:
    """Make what an upstream commit makes of one path, too."""
    if donors:
        donor = draw(st.sampled_from(donors))
        path = _pick(draw, donor)
        if path in files or is_free(files, path):
            files[path] = donor[path]


def _add_too(draw: st.DrawFn, files: Files, salt: str, donors: Sequence[Files]) -> None:
    """Add a file where upstream adds one, or moves one to: the same but for some lines."""
    added = [
        (path, donor[path])
        for donor in donors
        for path in donor
        if path not in BASE and donor[path][0] in (FILE, EXECUTABLE) and is_free(files, path)
    ]
    if added:
        path, (mode, content) = draw(st.sampled_from(added))
        start = draw(st.sampled_from((b"", f"{salt}\n".encode())))
        files[path] = (mode, start + content + draw(st.sampled_from((b"", b"too\n"))))


def _delete_changed(draw: st.DrawFn, files: Files, _: str, donors: Sequence[Files]) -> None:
    """Delete a file that upstream changes."""
    changed = [
        path for donor in donors for path in donor if path in files and files[path] != donor[path]
    ]
    if changed:
        del files[draw(st.sampled_from(changed))]


def _gone(draw: st.DrawFn, files: Files, donors: Sequence[Files]) -> str:
    """Return the path of a file that upstream lacks; "" where it has all."""
    gone = [path for donor in donors for path in sorted(files) if path not in donor]
    return draw(st.sampled_from(gone)) if gone else ""


def _edit_gone(draw: st.DrawFn, files: Files, salt: str, donors: Sequence[Files]) -> None:
    """Change lines of a file that upstream lacks, or most of it."""
    if path := _gone(draw, files, donors):
        mode, content = files[path]
        kept = content.splitlines(keepends=True)[: draw(st.sampled_from((2, 5, 8, 9)))]
        files[path] = (mode, b"".join(kept) + f"{salt} edited\n".encode())


def _delete_gone(draw: st.DrawFn, files: Files, _: str, donors: Sequence[Files]) -> None:
    if path := _gone(draw, files, donors):
        del files[path]


_ONE_SIDED = (_add_too, _delete_changed, _add, _delete, _rename, _edit)


def make(case: Case, folder: Path, messages: Mapping[str, str] | None = None) -> Made:
    """Write a case as a bare repository: branches `base`, `upstream` and `queue`.

    A commit's message is its branch and number (`queue 2`), unless `messages` has one for that.
    """
    git = Git(folder)
    git.init()
    stream: list[bytes] = []
    marks = iter(range(1, 1000))

    def commit(branch: str, files: Files, parent: int | None, subject: str) -> int:
        mark = next(marks)
        message = subject.encode()
        stream.append(
            f"commit refs/heads/{branch}\nmark :{mark}\n"
            f"committer A U Thor <a@example.org> {1_600_000_000 + mark} +0200\n"
            f"data {len(message)}\n".encode()
            + message
            + b"\n"
        )
        stream.append(f"from :{parent}\n".encode() if parent else b"")
        stream.append(b"deleteall\n")
        for path, (mode, content) in sorted(files.items()):
            if mode == SUBMODULE:
                stream.append(f"M {mode} {content.decode()} {path}\n".encode())
                continue
            stream.append(f"M {mode} inline {path}\ndata {len(content)}\n".encode())
            stream.append(content + b"\n")
        return mark

    root = commit("base", case.base, None, "base")
    for branch, trees in (("upstream", case.upstream), ("queue", case.patches)):
        at = root
        for number, files in enumerate(trees, 1):
            subject = f"{branch} {number}"
            at = commit(branch, files, at, (messages or {}).get(subject, subject))
    exported = folder / "marks"
    marks_to = f"--export-marks={exported}"
    git.run("fast-import", "--quiet", "--force", marks_to, stdin=b"".join(stream))
    # Lines `:1 ID`, not sorted.
    ids = dict(line.split() for line in exported.read_text().splitlines())
    exported.unlink()
    base, *others = (ids[f":{mark}"] for mark in range(1, len(ids) + 1))
    upstream, patches = others[: len(case.upstream)], others[len(case.upstream) :]
    return Made(git, base, upstream[-1], tuple(upstream), tuple(patches))


def git_rebase_skipping(made: Made, folder: Path) -> tuple[str, int]:
    """Let `git rebase` carry the queue onto upstream, `--skip` at each stop.

    Gives the final tree's id and the number of stops. Cases that git itself does not get through
    are no cases: 2.39 has renames that trip an assertion, and some that leave files behind over
    which the next patch stumbles for ever.
    """
    own = Git(folder / ".git", folder)
    folder.mkdir()
    own.init(bare=False)
    alternates = folder / ".git" / "objects" / "info" / "alternates"
    alternates.parent.mkdir(exist_ok=True)
    alternates.write_text(f"{made.git.git_dir / 'objects'}\n", encoding="utf-8")
    env = {"GIT_COMMITTER_NAME": "c", "GIT_COMMITTER_EMAIL": "c@example.org"}
    own = Git(own.git_dir, folder, env)
    own.run("checkout", "--quiet", "-B", "work", made.patches[-1])
    flags = ("--reapply-cherry-picks", "--empty=drop", "--no-fork-point")
    done = own.run("rebase", "--quiet", *flags, "--onto", made.onto, made.base, expected=())
    if b"You have unstaged changes" in done.stderr:
        assume(False)  # a blob with line ends that its attributes do not allow: edited, to git
    stops = refusals = 0
    while (own.git_dir / "rebase-merge").is_dir():
        conflicts = b"CONFLICT" in done.stdout or own.out("ls-files", "--unmerged")
        stops, refusals = stops + bool(conflicts), refusals + (not conflicts)
        if done.status < 0 or stops > len(made.patches) or refusals > len(made.patches):
            assume(False)
        # Where attributes change how files are checked out, those on disk look edited, and git
        # does not begin a pick that would touch them: it is told to take them as they are.
        if not conflicts:
            own.run("reset", "--quiet", "--hard")
        done = own.run("rebase", "--skip" if conflicts else "--continue", expected=())
    assert done.status == 0, done.stderr
    if own.run("grep", "--quiet", "^<<<<<<<", "HEAD", expected=(0, 1)).status == 0:
        assume(False)  # git 2.39 calls some nested conflicts clean, and commits their markers
    return own.line("rev-parse", "HEAD^{tree}"), stops
