"""Reads environments. Several are one: what comes later wins, or is merged."""

from __future__ import annotations

import re

from terrace.languages.document import Document, Tree
from terrace.languages.hot.environments.merging import OVERWRITE, STRATEGIES, Given
from terrace.languages.hot.environments.registry import Scope, read_registry
from terrace.languages.report import Report
from terrace.languages.shape import Shape, describe

SECTIONS = ("parameters", "parameter_defaults", "resource_registry", "parameter_merge_strategies", "moved")
WITHOUT_EFFECT = {
    "event_sinks": "events are followed with `terrace events`, or by the API",
    "encrypted_param_names": "hidden parameters are always kept sealed",
}
_PATH = re.compile(r"[^/\x00-\x1f\x7f]{1,255}(/[^/\x00-\x1f\x7f]{1,255}){0,15}")


class Environment:
    """All environments as one. `parameters` and `defaults` have for each name what every environment gives, in
    order; `moved` are resources under another name than before. `operator`: below those of users."""

    def __init__(self, *, operator: bool = False) -> None:
        self.parameters: dict[str, list[Given]] = {}
        self.defaults: dict[str, list[Given]] = {}
        self.registry = Scope(operator=operator)
        self.moved: dict[str, str] = {}

    def read(self, document: Document, report: Report) -> None:
        """Takes in one more environment."""
        shape = Shape(document, report)
        root = document.root
        if root is None:
            return
        if not isinstance(root, dict):
            message = f"an environment is a map of sections, not {describe(root)}"
            shape.error(document.start(root), "not-an-environment", message, f"known: {', '.join(SECTIONS)}")
            return
        shape.known(root, (*SECTIONS, *WITHOUT_EFFECT), "an environment")
        for section, why in WITHOUT_EFFECT.items():
            if root.get(section):
                message = f"{section} has no effect: {why}"
                report.warn(document, document.key(root, section), "ignored-section", message)
        strategies = _strategies(shape, root)
        default = strategies.get("default", OVERWRITE)
        for section, into in (("parameters", self.parameters), ("parameter_defaults", self.defaults)):
            values = shape.map(root, section, section)
            for name, value in values.items():
                given = Given(value, document, document.value(values, name), strategies.get(name, default))
                into.setdefault(name, []).append(given)
        read_registry(shape, shape.map(root, "resource_registry", "resource_registry"), self.registry)
        self._moves(shape, root)

    def _moves(self, shape: Shape, root: dict[str, Tree]) -> None:
        tree = shape.map(root, "moved", "moved")
        for old, new in tree.items():
            if not isinstance(new, str) or not _PATH.fullmatch(new) or not _PATH.fullmatch(old):
                message = f'"{old[:100]}" must be the path of a resource, and the path it has now'
                shape.error(shape.document.value(tree, old), "bad-move", message, "moved: {web: shop/web}")
            elif old == new:
                message = f'"{old[:100]}" is moved to itself'
                shape.error(shape.document.value(tree, old), "bad-move", message)
            else:
                self.moved[old] = new


def _strategies(shape: Shape, root: dict[str, Tree]) -> dict[str, str]:
    """How each parameter of this environment goes together with those before; "default" for all others."""
    section = "parameter_merge_strategies"
    tree = shape.map(root, section, section)
    found: dict[str, str] = {}
    for name, word in tree.items():
        if isinstance(word, str) and word in STRATEGIES:
            found[name] = word
            continue
        said = f'"{word[:100]}"' if isinstance(word, str) else describe(word)
        hint = shape.report.guess(said, STRATEGIES) or f"one of {', '.join(STRATEGIES)}"
        message = f"{said} is no way to merge values"
        shape.error(shape.document.value(tree, name), "unknown-strategy", message, hint)
    return found
