"""The tasks of work on a queue that waits for people: begun by one command, gone on with by others.

A rebase with conflicts and a change of a queue are such work. Their tasks share their flags and
what they do around the one call that each of them makes, so `SessionTasks` makes them.
"""

from __future__ import annotations

import functools
import inspect
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from tensorflow_macos_build.console import Console
from tensorflow_macos_build.errors import ExitCode
from tensorflow_macos_build.tasks.command import Command, command, print_parts
from tensorflow_macos_build.tasks.folders import MIRRORS
from tensorflow_macos_build.views.lines import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.tasks.queue_flags import QueueFlags


_FLAG = inspect.Parameter.KEYWORD_ONLY

_CONTEXT = inspect.Parameter("_context", inspect.Parameter.POSITIONAL_OR_KEYWORD)
"""What invoke gives a task first."""


class Progress(Protocol):
    """How far the work is; `note` is for people, beside whatever is shown."""

    @property
    def note(self) -> str: ...


AnyProgress = TypeVar("AnyProgress", bound=Progress)


class Session(Protocol):
    """Work on a queue."""

    def shown(self, progress: Any, /) -> None:
        """Note that people were told how far it is."""

    def abort(self) -> str:
        """Abandon it, and return what is left for people to know."""


AnySession = TypeVar("AnySession", bound=Session)


class SessionTasks(ABC, Generic[AnySession, AnyProgress]):
    """Makes the tasks of one kind of work, each of a function that is given the session.

    The function's other parameters are flags of its task, and its docstring is the task's.

    Args:
        title: what the work is called where its progress is shown.
        noun: what it is called where it is given up.
        help: the texts of the flags that all its tasks have: queue, cache, json, perhaps work.
    """

    def __init__(self, title: str, noun: str, help: Mapping[str, str]) -> None:
        self.title = title
        self.noun = noun
        self.help = help

    @abstractmethod
    def open(self, flags: QueueFlags, ticker: Ticker, *, onto: str = "") -> AnySession:
        """Open a session, with what work on the queue reads, and a move of it to `onto`."""

    @abstractmethod
    def open_to_abort(self, flags: QueueFlags, ticker: Ticker) -> AnySession:
        """Open a session to give the work up, whatever has become of the queue's base."""

    @abstractmethod
    def present(self, flags: QueueFlags, progress: AnyProgress, *, json: bool) -> None:
        """Print how far the work is."""

    @abstractmethod
    def is_settled(self, progress: AnyProgress) -> bool:
        """Whether nothing is left for people to settle."""

    def step(
        self, *, help: Mapping[str, str] | None = None, **options: Any
    ) -> Callable[[Callable[..., AnyProgress]], Command]:
        """Make a task of a function that takes a step of the work; `options` go to `command`."""

        def decorate(take: Callable[..., AnyProgress]) -> Command:
            signature = _with_flags(inspect.signature(take), self._flags())

            @functools.wraps(take)
            def body(*args: Any, **kwargs: Any) -> ExitCode:
                bound = _bound(signature, args, kwargs)
                return self._step(take, bound.args[1:], bound.kwargs)

            # invoke makes its flags of what inspect.signature says, which is this (PEP 362)
            vars(body)["__signature__"] = signature
            texts = {**self.help, **(help or {})}
            return command(needs=("git",), help=texts, **options)(body)

        return decorate

    def abort(self, document: str) -> Command:
        """Make the task that gives the work up; `document` is its docstring."""
        flags = [flag for flag in self._flags() if flag.name != "json"]
        signature = inspect.Signature([_CONTEXT, *flags])

        def abort(*args: Any, **kwargs: Any) -> None:
            self._abort(_queue_flags(_bound(signature, args, kwargs).kwargs))

        vars(abort)["__signature__"] = signature
        abort.__doc__ = document
        texts = {flag.name: self.help[flag.name] for flag in flags}
        return command(needs=("git",), help=texts)(abort)

    def _flags(self) -> list[inspect.Parameter]:
        """Return the flags that all tasks have, as parameters; the queue has no default."""
        defaults = {"queue": inspect.Parameter.empty, "work": "", "cache": MIRRORS, "json": False}
        return [
            inspect.Parameter(name, _FLAG, default=default)
            for name, default in defaults.items()
            if name in self.help
        ]

    def _step(
        self, take: Callable[..., AnyProgress], operands: Sequence[Any], kwargs: dict[str, Any]
    ) -> ExitCode:
        json, flags = kwargs.pop("json"), _queue_flags(kwargs)
        with Console().progress(self.title) as ticker:
            # `onto` is told before it is used, so that one request fetches what all of the step
            # reads.
            session = self.open(flags, ticker, onto=kwargs.get("onto", ""))
            progress = take(session, *operands, **kwargs)
        if progress.note:
            Console().line(progress.note, "yellow")
        # After the progress has ended: its line on a terminal is written over.
        self.present(flags, progress, json=json)
        session.shown(progress)  # last: what a kill keeps from people is shown by the next run
        return ExitCode.DONE if self.is_settled(progress) else ExitCode.FAILED

    def _abort(self, flags: QueueFlags) -> None:
        with Console().progress(self.title) as ticker:
            note = self.open_to_abort(flags, ticker).abort()
        given_up = f"{self.noun} of {flags.name} is given up; the queue is as it was"
        print_parts([Line(note or given_up)])


def _queue_flags(kwargs: dict[str, Any]) -> QueueFlags:
    """Take the flags that name a queue out of a task's arguments."""
    from tensorflow_macos_build.tasks.queue_flags import QueueFlags

    return QueueFlags(kwargs.pop("queue"), kwargs.pop("cache"), kwargs.pop("work", ""))


def _bound(signature: inspect.Signature, args: Any, kwargs: Any) -> inspect.BoundArguments:
    """Return a call's arguments by the signature that a task states, defaults included."""
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    return bound


def _with_flags(own: inspect.Signature, shared: Sequence[inspect.Parameter]) -> inspect.Signature:
    """Return a task's signature: the context that invoke gives in the session's place, all flags.

    A task names what its command line lacks in this order: first its operand, then the queue.
    """
    _, *parameters = own.parameters.values()
    operands = [parameter for parameter in parameters if parameter.kind is not _FLAG]
    flags = [parameter for parameter in parameters if parameter.kind is _FLAG]
    queue, *others = shared
    return inspect.Signature([_CONTEXT, *operands, queue, *flags, *others])
