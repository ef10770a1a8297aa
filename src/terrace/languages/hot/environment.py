"""Reads environments: values of parameters, and what types stand for."""

from __future__ import annotations

from typing import Any

import msgspec

from terrace.languages.document import Document, Mark, Tree
from terrace.languages.files import is_template, resolve
from terrace.languages.hot.template import NOT_YET
from terrace.languages.report import Report
from terrace.languages.shape import Shape, describe

SECTIONS = ("parameters", "parameter_defaults", "resource_registry")
LATER = ("parameter_merge_strategies", "event_sinks", "encrypted_param_names")


class Given(msgspec.Struct, frozen=True):
    """A value for a parameter, and where it was given; `document` is None for one that came with the
    request."""

    value: Any
    document: Document | None
    mark: Mark


class Mapped(msgspec.Struct, frozen=True):
    """What a type stands for: another type, or the file of a template (`file`: by which name it was sent
    along)."""

    target: str
    file: str
    document: Document
    mark: Mark


class Environment:
    """All environments as one: what comes later wins."""

    def __init__(self) -> None:
        self.parameters: dict[str, Given] = {}
        self.defaults: dict[str, Given] = {}
        self.registry: dict[str, Mapped] = {}

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
        shape.known(root, (*SECTIONS, *LATER), "an environment")
        for section in LATER:
            if section in root:
                message = f"{section} cannot be used yet"
                shape.error(document.key(root, section), "not-supported-yet", message, NOT_YET)
        for section, into in (("parameters", self.parameters), ("parameter_defaults", self.defaults)):
            values = shape.map(root, section, section)
            for name, value in values.items():
                into[name] = Given(value, document, document.value(values, name))
        registry = shape.map(root, "resource_registry", "resource_registry")
        for name, target in registry.items():
            self._map(shape, registry, name, target)

    def _map(self, shape: Shape, registry: dict[str, Tree], name: str, target: Tree) -> None:
        document = shape.document
        if name in ("resources", "base_url") or "*" in name or target is None:
            what = f'"{name[:100]}" in resource_registry' if target is not None else "taking a type away"
            shape.error(
                document.key(registry, name), "not-supported-yet", f"{what} cannot be used yet", NOT_YET
            )
            return
        if not isinstance(target, str):
            message = f'the type "{name}" must stand for a type or a file, not {describe(target)}'
            shape.error(document.value(registry, name), "wrong-type", message)
            return
        file = resolve(target, document.file) if is_template(target) else ""
        self.registry[name] = Mapped(target, file, document, document.value(registry, name))
