"""Which files a template or environment names."""

from __future__ import annotations

from typing import Any

from terrace.languages.document import Document
from terrace.languages.files import is_remote, is_template, resolve
from terrace.languages.hot.environments.registry import BASE, based


def named_files(document: Document) -> list[str]:
    """The names of the files that a document needs, each once, as they are to be sent along. Works on
    documents with mistakes: it gives what can be seen."""
    found: dict[str, None] = {}
    root = document.root
    if isinstance(root, dict):
        _visit(root, found, set())
        _chosen(root, root.get("parameters"), found, set())
        registry = root.get("resource_registry")
        if isinstance(registry, dict):
            base = registry.get(BASE)
            _register(registry, base if isinstance(base, str) else "", found)
    return list(dict.fromkeys(resolve(name, document.file) for name in found if not is_remote(name)))


def _chosen(tree: Any, parameters: Any, found: dict[str, None], seen: set[int]) -> None:
    """Templates that the members of groups are made from, where a parameter says by default which."""
    if not isinstance(tree, dict | list) or not isinstance(parameters, dict) or id(tree) in seen:
        return
    seen.add(id(tree))
    for item in tree.values() if isinstance(tree, dict) else tree:
        _chosen(item, parameters, found, seen)
    kind = tree.get("type") if isinstance(tree, dict) else None
    name = kind.get("get_param") if isinstance(kind, dict) else None
    declared = parameters.get(name) if isinstance(name, str) else None
    default = declared.get("default") if isinstance(declared, dict) else None
    if isinstance(default, str) and is_template(default):
        found[default] = None


def _register(registry: dict[str, Any], base: str, found: dict[str, None]) -> None:
    """Files that types stand for, those for resources of some names too."""
    for name, target in registry.items():
        if isinstance(target, dict):
            _register(target, base, found)
        elif isinstance(target, str) and name != BASE and is_template(target):
            found[based(target, base)] = None


def _visit(tree: Any, found: dict[str, None], seen: set[int]) -> None:
    if not isinstance(tree, dict | list) or id(tree) in seen:
        return
    seen.add(id(tree))
    if isinstance(tree, list):
        for item in tree:
            _visit(item, found, seen)
        return
    name, kind = tree.get("get_file"), tree.get("type")
    if len(tree) == 1 and isinstance(name, str):
        found[name] = None
    chained = tree.get("resources")
    for one in [kind, *(chained if isinstance(chained, list) else ())]:  # the list is a ResourceChain's
        if isinstance(one, str) and is_template(one):
            found[one] = None
    for item in tree.values():
        _visit(item, found, seen)
