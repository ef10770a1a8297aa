"""What a stack reads of others, and what it gives them: values that come and go by rows in the store."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from terrace.model.graph import Found, Name, Use
from terrace.model.value import UNKNOWN


class Imports:
    """Which resources read which names, and what there is of these. `asked` are names that nobody has looked up yet;
    `changed` says that what is to be remembered of it has changed."""

    def __init__(self) -> None:
        self.values: dict[Name, Any] = {}
        self.absent: dict[Name, str] = {}
        self.kept: dict[tuple[str, Name], Any] = {}
        self.by_path: dict[str, frozenset[Name]] = {}
        self.readers: dict[Name, set[str]] = {}
        self.asked: set[Name] = set()
        self.changed = False

    def restore(self, uses: Iterable[Use]) -> None:
        """What is remembered of before."""
        for use in uses:
            self.by_path[use.path] = self.by_path.get(use.path, frozenset()) | {use.name}
            self.readers.setdefault(use.name, set()).add(use.path)
            if use.kept:
                self.kept[use.path, use.name] = use.kept[0]

    def read(self, path: str, name: Name) -> Any:
        """What the resource at `path` gets to see of a name, and whether it is gone by now; UNKNOWN while there is
        nothing. What it once had it keeps."""
        key = (path, name)
        if name in self.values:
            value = self.values[name]
            if key not in self.kept or self.kept[key] != value:
                self.kept[key] = value
                self.changed = True
            return {"value": value, "gone": ""}
        if name not in self.absent:
            self.asked.add(name)
        if key not in self.kept:
            return UNKNOWN
        why = self.absent.get(name, "")
        return {"value": self.kept[key], "gone": f"{name}: {why}" if why else ""}

    def settle(self, path: str, names: Iterable[Name]) -> None:
        """The resource at `path` reads just these names."""
        wanted = frozenset(names)
        before = self.by_path.get(path, frozenset())
        if wanted == before:
            return
        self.changed = True
        for name in before - wanted:
            self.readers[name].discard(path)
            if not self.readers[name]:
                del self.readers[name]
        for name in wanted - before:
            self.readers.setdefault(name, set()).add(path)
        if wanted:
            self.by_path[path] = wanted
        else:
            self.by_path.pop(path, None)

    def arrive(self, found: Iterable[Found]) -> set[str]:
        """What was looked up; the paths of those that must look again."""
        paths: set[str] = set()
        for one in found:
            self.asked.discard(one.name)
            before = (self.values.get(one.name, UNKNOWN), self.absent.get(one.name))
            if one.value:
                self.values[one.name] = one.value[0]
                self.absent.pop(one.name, None)
            else:
                self.values.pop(one.name, None)
                self.absent[one.name] = one.why
            if before != (self.values.get(one.name, UNKNOWN), self.absent.get(one.name)):
                paths |= self.readers.get(one.name, set())
        return paths

    def why(self, path: str) -> str:
        """What keeps the resource at `path` waiting, in words; "" for nothing here."""
        for name in sorted(self.by_path.get(path, ())):
            if name not in self.values and (path, name) not in self.kept:
                return f"waiting for {name}: {self.absent.get(name) or 'not looked at yet'}"
        return ""

    def uses(self) -> tuple[Use, ...]:
        """All of it as the store keeps it."""
        keys = sorted((path, name) for path, names in self.by_path.items() for name in names)
        kept = self.kept
        return tuple(
            Use(path, name, (kept[path, name],) if (path, name) in kept else ()) for path, name in keys
        )


class Exports:
    """The outputs of a stack as others may read them. Only what may have changed is worked out anew. `known` are
    those that were written; `fresh`: maybe they were not, since a newer wish had come."""

    def __init__(self) -> None:
        self.known: dict[str, Any] = {}
        self.fresh = False
        self._by_path: dict[str, set[str]] = {}
        self._wanted: dict[str, Any] = {}
        self._touched: set[str] = set()

    def desire(self, outputs: dict[str, Any], paths: dict[str, set[str]]) -> None:
        """The outputs of a new generation, as expressions; `paths`: which resources each refers to."""
        self._wanted = outputs
        self._by_path = {}
        for name, found in paths.items():
            for path in found:
                self._by_path.setdefault(path, set()).add(name)
        self._touched = set(outputs)

    def touch(self, path: str) -> None:
        """A resource has changed: what refers to it, or to a composite that it is in, may have another value."""
        if not self._by_path:
            return
        while path:
            self._touched |= self._by_path.get(path, frozenset())
            path = path.rpartition("/")[0]

    def take(self) -> dict[str, Any]:
        """The outputs to work out anew."""
        touched, self._touched = self._touched, set()
        return {name: self._wanted[name] for name in touched}

    def learn(self, values: dict[str, Any]) -> dict[str, Any] | None:
        """All that is exported now, when that is not what was; else None. What is not known now stays as it was."""
        fresh = {name: value for name, value in self.known.items() if name in self._wanted} | values
        if fresh == self.known and not self.fresh:
            return None
        self.known, self.fresh = fresh, False
        return fresh
