"""Values of properties: plain data, expressions over other nodes, the unknown, and secrets.

    Value = None | bool | int | float | str | list[Value] | dict[str, Value] | Expr | Secret
    Expr  = Ref(node, path) | Call(function, args)

Ref and Call are plain classes on purpose: msgspec encodes Structs and tuples by itself, and these must go
through `model.codec`, which gives them a type of their own on the wire so that no user's map can imitate one.
"""

from __future__ import annotations

from typing import Any, Final


class Ref:
    """The value at `path` of what was seen of another node of the same stack.

    `node` is the node's path ("web", "shop/db"); "" means the enclosing composite's own inputs (its
    properties), which is how a nested template reads its parameters. In a Blueprint paths are local, and one that
    begins with "/" ("/image:debian-12") is meant from the top of the stack; instantiation makes both full. An empty
    `path` is the reference id (what `get_resource` gives). Items of `path` are str, int or Expr.
    """

    __slots__ = ("node", "path")

    def __init__(self, node: str, path: tuple[Any, ...] = ()) -> None:
        self.node = node
        self.path = path

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ref) and self.node == other.node and self.path == other.path

    def __hash__(self) -> int:
        return hash((Ref, self.node))

    def __repr__(self) -> str:
        return f"Ref({self.node!r}, {self.path!r})"


class Call:
    """A function of the engine applied to arguments, e.g. Call("join", (",", ["a", Ref("b", ())]))."""

    __slots__ = ("args", "function")

    def __init__(self, function: str, args: tuple[Any, ...]) -> None:
        self.function = function
        self.args = args

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Call) and self.function == other.function and self.args == other.args

    def __hash__(self) -> int:
        return hash((Call, self.function))

    def __repr__(self) -> str:
        return f"Call({self.function!r}, {self.args!r})"


Expr = Ref | Call

EXPORTS: Final = "@exports"
"""The node of a Ref to an output of another stack: Ref(EXPORTS, (stack, output)), and to all of those of the stack
that a resource owns: Ref(EXPORTS)."""

VAULT: Final = "@secrets"
"""In place of a stack's name: what is read is a secret of the project, Ref(EXPORTS, (VAULT, name))."""


class Unknown:
    """A value that is not known yet. One instance, UNKNOWN; it is never stored, only planned with."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        raise TypeError("an unknown value has no truth")


UNKNOWN: Final = Unknown()


class Secret:
    """A value that must not be shown. It cannot be serialised, formatted or logged by accident: encoders
    refuse it unless given a sealer, and its text is always `******`. `reveal()` is the one way in."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value.reveal() if isinstance(value, Secret) else value

    def reveal(self) -> Any:
        """The hidden value. Each call is a place to audit."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(Secret)

    def __repr__(self) -> str:
        return "******"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "******"

    def __reduce__(self) -> Any:
        raise TypeError("a secret cannot be pickled")


ASIDE: Final = "aside"
"""The function of a Call with one argument that is read as it is when it is asked for: nothing comes after what it
refers to, and nothing is looked at again because of that."""


def aside(value: Any) -> Any:
    """`value` with its expressions set aside."""
    kind = type(value)
    if kind is Ref or kind is Call:
        return Call(ASIDE, (value,))
    if kind is dict:
        return {key: aside(item) for key, item in value.items()}
    return [aside(item) for item in value] if kind is list or kind is tuple else value


def refs(value: Any) -> set[str]:
    """The paths of the nodes that `value` refers to, however deep, but for what is set aside."""
    found: set[str] = set()
    _collect(value, found)
    return found


def _collect(value: Any, found: set[str]) -> None:
    kind = type(value)
    if kind is str or kind is int or value is None:
        return
    if kind is Ref:
        found.add(value.node)
        _collect(value.path, found)
    elif kind is Call:
        if value.function != ASIDE:
            _collect(value.args, found)
    elif kind is dict:
        for item in value.values():
            _collect(item, found)
    elif kind is list or kind is tuple:
        for item in value:
            _collect(item, found)


def holds(value: Any, wanted: type) -> bool:
    """Whether an instance of `wanted` (Secret, Unknown, Ref, Call) stands anywhere inside `value`."""
    kind = type(value)
    if kind is str or kind is int:
        return False
    if kind is wanted:
        return True
    if kind is dict:
        parts = value.values()
    elif kind is list or kind is tuple:
        parts = value
    elif kind is Call:
        parts = value.args
    elif kind is Ref:
        parts = value.path
    else:
        return False
    for part in parts:  # noqa: SIM110  (a generator would cost more than the rest)
        if holds(part, wanted):
            return True
    return False
