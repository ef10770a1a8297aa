"""Names of files in documents: relative to the document that names them, as on a disk."""

from __future__ import annotations

import posixpath

OPERATOR = "operator:"
"""Names of the operator's files begin with it: no document of a user reaches one by its name."""

TEMPLATE_ENDINGS = (".yaml", ".yml", ".template", ".json")


def is_template(name: str) -> bool:
    """Whether the name of a type is that of a file."""
    return name.endswith(TEMPLATE_ENDINGS)


def is_remote(name: str) -> bool:
    """Whether a name is an address somewhere in a network: such a thing is never fetched."""
    return "://" in name and not name.startswith("file://")


def resolve(name: str, document: str) -> str:
    """The name under which the file that `document` calls `name` is sent along: "lib/db.yaml" in
    "site/web.yaml" is "site/lib/db.yaml". Addresses stay as they are."""
    if is_remote(name):
        return name
    name = name.removeprefix("file://")
    operators = document.startswith(OPERATOR)
    folder = posixpath.dirname(document.removeprefix(OPERATOR) if operators else document)
    found = posixpath.normpath(posixpath.join(folder, name))
    if operators:
        return OPERATOR + found
    return f"./{found}" if found.startswith(OPERATOR) else found
