"""What a sweep calls: the cases of a device, what is excluded, and registrations that are wrong."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build.smoke.sweep.exclusions import Exclusion, exclusion, type_exclusion

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

Types = tuple[tuple[str, str], ...]
"""Attributes and the types that a kernel is registered for, such as (("T", "float32"),)."""


MISSING = "missing"
"""The kind of fault that an op has which was named, and has no kernel."""


@dataclass(frozen=True)
class Kernel:
    """One registration.

    Attributes:
        op: the op's name.
        device: the device's type, such as GPU, or DEFAULT.
        types: the types that each constrained attribute may be.
        label: what a graph has to name to get this kernel; empty for most.
        priority: of two kernels that match, the greater is taken.
        values: what other attributes than types have to be, as text.
    """

    op: str
    device: str
    types: tuple[tuple[str, tuple[str, ...]], ...]
    label: str = ""
    priority: int = 0
    values: tuple[tuple[str, str], ...] = ()

    def cases(self) -> Iterator[Types]:
        """Return every combination of types that it takes."""
        names = [name for name, _ in self.types]
        for values in itertools.product(*(allowed for _, allowed in self.types)):
            yield tuple(zip(names, values, strict=True))

    def takes(self, types: Mapping[str, str]) -> bool:
        """Whether it takes these types; of what only one of the two names, any will do."""
        return all(name not in types or types[name] in allowed for name, allowed in self.types)

    def overlaps(self, other: Kernel) -> bool:
        """Whether some types would be taken by both."""
        theirs = dict(other.types)
        return all(set(own) & set(theirs.get(name, own)) for name, own in self.types)

    def competes(self, other: Kernel) -> bool:
        """Whether some call would have both to choose from, which TensorFlow refuses."""
        ours = (self.device, self.label, self.priority, self.values)
        theirs = (other.device, other.label, other.priority, other.values)
        return ours == theirs and self.overlaps(other)


@dataclass(frozen=True)
class OpDef:
    """What an op's definition says.

    Attributes:
        attrs: each attribute's type (`type`, `int`, `func`, …) and the types that it allows.
        reference: whether an argument is a variable by reference.
    """

    attrs: Mapping[str, tuple[str, tuple[str, ...]]]
    reference: bool


@dataclass(frozen=True)
class Listing:
    """All kernels and OpDefs of an installed TensorFlow, and the devices that it lists."""

    tensorflow: str
    devices: tuple[str, ...]
    kernels: tuple[Kernel, ...]
    ops: Mapping[str, OpDef]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Listing:
        """Return the listing that the environment's own program wrote.

        Raises:
            KeyError, TypeError, AttributeError: it did not write this.
        """
        kernels = tuple(
            Kernel(
                row["op"],
                row["device"],
                tuple(sorted((name, tuple(types)) for name, types in row["types"].items())),
                row["label"],
                row["priority"],
                tuple(sorted(row["values"].items())),
            )
            for row in document["kernels"]
        )
        ops = {
            name: OpDef(
                {attr: (a["type"], tuple(a["allowed"])) for attr, a in row["attrs"].items()},
                row["ref"],
            )
            for name, row in document["ops"].items()
        }
        return cls(document["tensorflow"], tuple(document["devices"]), kernels, ops)


@dataclass(frozen=True, order=True)
class SweepCase:
    """One (op, type) that the device has a kernel for.

    Attributes:
        op: the op's name.
        types: the types that its kernel was registered for.
        reference: whether the reference has a kernel for it, too.
    """

    op: str
    types: Types
    reference: bool = True


@dataclass(frozen=True)
class ExcludedOp:
    """An op that is not called, why, and how many (op, type) of it there are."""

    op: str
    reason: Exclusion
    count: int


@dataclass(frozen=True, order=True)
class RegistrationFault:
    """A registration that is wrong.

    Attributes:
        op: the op's name.
        kind: `duplicate`, `impossible` (no call can ever reach it), `unknown op` or `missing`.
        why: what is wrong, in words.
    """

    op: str
    kind: str
    why: str


@dataclass(frozen=True)
class SweepPlan:
    """What is called on a device, what is not, and what is registered wrongly."""

    cases: tuple[SweepCase, ...]
    excluded: tuple[ExcludedOp, ...]
    faults: tuple[RegistrationFault, ...]


def plan(
    listing: Listing, device: str, reference: str, ops: Collection[str] | None = None
) -> SweepPlan:
    """Return what to call on a device such as `GPU:0`.

    A kernel for any device (DEFAULT) counts as the device's own where it has none for the types.

    Args:
        listing: what is registered.
        device: the device to sweep.
        reference: the device to compare it with.
        ops: names of the only ops to call; None: all.
    """
    kernels = [k for k in _of_device(listing.kernels, device) if ops is None or k.op in ops]
    others = _by_op(_of_device(listing.kernels, reference))
    cases: set[SweepCase] = set()
    excluded: list[ExcludedOp] = []
    for op, own in sorted(_by_op(kernels).items()):
        types = {case for kernel in own if not kernel.label for case in _possible(kernel, listing)}
        reason = _exclusion(op, listing) or (None if types else Exclusion.UNREACHABLE)
        if reason is None:
            reasons = Counter(_type_exclusion(op, t) for t in types)
            excluded += [ExcludedOp(op, why, n) for why, n in reasons.items() if why is not None]
            called = [t for t in types if _type_exclusion(op, t) is None]
            cases |= {SweepCase(op, t, _takes(others.get(op, ()), t)) for t in called}
        elif op in listing.ops:
            excluded.append(ExcludedOp(op, reason, max(len(types), 1)))
    wrong = [*_missing(listing, device, kernels, ops or ()), *faults(listing, kernels)]
    return SweepPlan(tuple(sorted(cases)), tuple(excluded), tuple(wrong))


def _missing(
    listing: Listing, device: str, kernels: Iterable[Kernel], ops: Collection[str]
) -> Iterator[RegistrationFault]:
    """Return the ops that were named and that the device has no kernel for."""
    absent = set(ops) & set(listing.ops) - {kernel.op for kernel in kernels}
    return (RegistrationFault(op, MISSING, f"no kernel for {device}") for op in sorted(absent))


def faults(listing: Listing, kernels: Iterable[Kernel]) -> list[RegistrationFault]:
    """Return the wrong registrations among kernels, sorted."""
    wrong: set[RegistrationFault] = set()
    for op, own in _by_op(kernels).items():
        wrong |= set(_duplicates(op, own))
        definition = listing.ops.get(op)
        if definition is None:
            devices = ", ".join(sorted({kernel.device for kernel in own}))
            wrong.add(RegistrationFault(op, "unknown op", f"kernels for {devices}, and no OpDef"))
        else:
            wrong |= set(_impossible(op, own, definition))
    return sorted(wrong)


def _duplicates(op: str, kernels: list[Kernel]) -> Iterator[RegistrationFault]:
    pairs = Counter(
        (kernel.device, _words(kernel), _words(again))
        for kernel, again in itertools.combinations(kernels, 2)
        if kernel.competes(again)
    )
    for (device, types, others), count in pairs.items():
        shared = types if types == others else f"{types} and {others}"
        yield RegistrationFault(op, "duplicate", f"{count + 1} kernels for {device} take {shared}")


def _impossible(op: str, kernels: list[Kernel], definition: OpDef) -> Iterator[RegistrationFault]:
    refused: dict[str, set[str]] = {}
    for name, types in (pair for kernel in kernels for pair in kernel.types):
        kind, allowed = definition.attrs.get(name, ("", ()))
        if kind not in ("type", "list(type)"):
            why = f"a kernel names the types of `{name}`, which is no type of the op"
            yield RegistrationFault(op, "impossible", why)
        elif allowed:
            refused.setdefault(name, set()).update(set(types) - set(allowed))
    for name, types_of in refused.items():
        if types_of:
            why = f"kernels for {name}: {', '.join(sorted(types_of))}, which the op does not allow"
            yield RegistrationFault(op, "impossible", why)


def _possible(kernel: Kernel, listing: Listing) -> Iterator[Types]:
    """Return the types of a kernel that its op allows, so that a call can reach it."""
    definition = listing.ops.get(kernel.op)
    if definition is None or any(True for name, _ in kernel.types if name not in definition.attrs):
        return
    for types in kernel.cases():
        allowed = {name: definition.attrs[name][1] for name, _ in types}
        if all(not allowed[name] or chosen in allowed[name] for name, chosen in types):
            yield types


def _exclusion(op: str, listing: Listing) -> Exclusion | None:
    definition = listing.ops.get(op)
    if definition is None:
        return None
    kinds = frozenset(kind for kind, _ in definition.attrs.values())
    return exclusion(op, kinds, takes_reference=definition.reference)


def _type_exclusion(op: str, types: Types) -> Exclusion | None:
    return type_exclusion(op, [dtype for _, dtype in types])


def _of_device(kernels: Iterable[Kernel], device: str) -> list[Kernel]:
    kind = device.partition(":")[0]
    return [kernel for kernel in kernels if kernel.device in (kind, "DEFAULT")]


def _by_op(kernels: Iterable[Kernel]) -> dict[str, list[Kernel]]:
    grouped: dict[str, list[Kernel]] = {}
    for kernel in kernels:
        grouped.setdefault(kernel.op, []).append(kernel)
    return grouped


def _takes(kernels: Iterable[Kernel], types: Types) -> bool:
    return any(kernel.takes(dict(types)) for kernel in kernels)


def _words(kernel: Kernel) -> str:
    return ", ".join(f"{n} in {'/'.join(types)}" for n, types in kernel.types) or "all types"
