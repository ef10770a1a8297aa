"""Reads parts of a document of which the shape is known: what is missing, unknown or of another type is
reported."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from terrace.languages.document import Document, Mark, Tree
from terrace.languages.report import Report

_NAMES: dict[type, str] = {
    dict: "a map",
    list: "a list",
    str: "a text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "nothing",
}


def describe(value: Any) -> str:
    """The type of a value, in the words of a document's author."""
    return _NAMES.get(type(value), "something else")


class Shape:
    """Reads one document."""

    def __init__(self, document: Document, report: Report) -> None:
        self.document = document
        self.report = report

    def error(self, mark: Mark, code: str, message: str, hint: str = "") -> None:
        """A mistake at a position."""
        self.report.error(self.document, mark, code, message, hint)

    def known(self, tree: dict[str, Tree], names: Collection[str], what: str) -> None:
        """Reports the keys of a map that are not among `names`."""
        for key in tree:
            if key not in names:
                hint = self.report.guess(key, names) or f"known: {', '.join(sorted(names))}"
                message = f'there is no "{key[:100]}" in {what}'
                self.error(self.document.key(tree, key), "unknown-key", message, hint)

    def map(self, tree: dict[str, Tree], key: str, what: str) -> dict[str, Tree]:
        """The map under a key; {} when there is none, or something else."""
        value = tree.get(key)
        return value if isinstance(value, dict) else self._nothing(tree, key, what, "a map", {})

    def list(self, tree: dict[str, Tree], key: str, what: str) -> list[Tree]:
        """The list under a key; [] when there is none, or something else."""
        value = tree.get(key)
        return value if isinstance(value, list) else self._nothing(tree, key, what, "a list", [])

    def text(self, tree: dict[str, Tree], key: str, what: str) -> str:
        """The text under a key (a number is taken as its digits); "" when there is none, or something
        else."""
        value = tree.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        return value if isinstance(value, str) else self._nothing(tree, key, what, "a text", "")

    def boolean(self, tree: dict[str, Tree], key: str, what: str) -> bool:
        """The boolean under a key; False when there is none, or something else."""
        value = tree.get(key)
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        return value if isinstance(value, bool) else self._nothing(tree, key, what, "true or false", False)

    def _nothing(self, tree: dict[str, Tree], key: str, what: str, wanted: str, empty: Any) -> Any:
        value = tree.get(key)
        if value is not None:
            message = f"{what} must be {wanted}, not {describe(value)}"
            self.error(self.document.value(tree, key), "wrong-type", message)
        return empty
