"""Reads the sections of a template: what is declared, under which names."""

from __future__ import annotations

import re

import msgspec

from terrace.languages.document import TOP, Document, Tree
from terrace.languages.hot import versions
from terrace.languages.hot.parameters.declarations import read_parameters
from terrace.languages.hot.parameters.parameter import Parameter
from terrace.languages.report import Report
from terrace.languages.shape import Shape, describe

SECTIONS = (
    versions.VERSION_KEY,
    "description",
    "parameter_groups",
    "parameters",
    "conditions",
    "resources",
    "outputs",
)
_ODD = r"""\x00-\x1f\x7f-\xa0!"#$%&'*/:;<=>?@\[\\\]^`{|}~"""
"""What no name has in it: control characters, and what means something to shells, in paths or in addresses."""
NAME = re.compile(rf"[^ .\-{_ODD}][^{_ODD}]{{0,254}}")
OUTPUT = re.compile(r"[^\x00-\x1f\x7f;]{1,255}")


class Template(msgspec.Struct):
    """A template whose sections have the right shape. `version` is a date. `resources` and `outputs` are
    trees, `conditions` too."""

    document: Document
    version: str
    description: str
    parameters: dict[str, Parameter]
    resources: dict[str, Tree]
    outputs: dict[str, Tree]
    conditions: dict[str, Tree]


def read_template(document: Document, report: Report) -> Template | None:
    """The sections of a document; None when it is no template at all."""
    shape = Shape(document, report)
    root = document.root
    if not isinstance(root, dict):
        message = f"a template is a map of sections, not {describe(root)}"
        shape.error(TOP, "not-a-template", message, f"begin with: {versions.VERSION_KEY}: 2021-04-16")
        return None
    version = _version(shape, root)
    shape.known(root, SECTIONS, "a template")
    parameters = read_parameters(shape, shape.map(root, "parameters", "parameters"))
    template = Template(
        document,
        version,
        shape.text(root, "description", "the description"),
        parameters,
        shape.map(root, "resources", "resources"),
        shape.map(root, "outputs", "outputs"),
        shape.map(root, "conditions", "conditions"),
    )
    if "conditions" in root:
        since(shape, root, "conditions", version)
    _groups(shape, root, parameters)
    _names(shape, root, template)
    return template


def since(shape: Shape, tree: dict[str, Tree], key: str, version: str) -> None:
    """Reports a key that comes with conditions, in a version before them."""
    if version < versions.CONDITIONS:
        message = f'"{key}" can be used only from version {versions.CONDITIONS} on'
        hint = f"write: {versions.VERSION_KEY}: {versions.CONDITIONS}"
        shape.error(shape.document.key(tree, key), "newer-version-needed", message, hint)


def _version(shape: Shape, root: dict[str, Tree]) -> str:
    newest = versions.VERSIONS[-1]
    foreign = [key for key in versions.FOREIGN_KEYS if key in root]
    for key in foreign:
        if versions.VERSION_KEY in root:
            message = f'"{key}" is a second version key; "{versions.VERSION_KEY}" is there already'
            shape.error(shape.document.key(root, key), "two-versions", message, "keep one of them")
        else:
            message = f'templates with "{key}" are not read'
            shape.error(
                shape.document.key(root, key), "unknown-language", message, "Terrace reads HOT templates"
            )
    if versions.VERSION_KEY not in root:
        if not foreign:
            message = f'the template does not say its version: "{versions.VERSION_KEY}" is missing'
            shape.error(TOP, "missing-version", message, f"add: {versions.VERSION_KEY}: {newest}")
        return newest
    given = str(root[versions.VERSION_KEY])
    version = versions.NAMES.get(given, given)
    if version not in versions.VERSIONS:
        known = (*versions.VERSIONS, *versions.NAMES)
        hint = shape.report.guess(given, known) or f"known: {', '.join(known)}"
        at = shape.document.value(root, versions.VERSION_KEY)
        shape.error(at, "unknown-version", f'"{given[:100]}" is no version of HOT', hint)
        return newest
    return version


def _groups(shape: Shape, root: dict[str, Tree], parameters: dict[str, Parameter]) -> None:
    """Checks parameter_groups: labels for people, which change nothing."""
    grouped: set[str] = set()
    groups = shape.list(root, "parameter_groups", "parameter_groups")
    for index, group in enumerate(groups):
        if not isinstance(group, dict):
            message = f"a parameter group must be a map, not {describe(group)}"
            shape.error(shape.document.value(groups, index), "wrong-type", message)
            continue
        shape.known(group, ("label", "description", "parameters"), "a parameter group")
        names = shape.list(group, "parameters", "the parameters of a group")
        for position, name in enumerate(names):
            at = shape.document.value(names, position)
            if name not in parameters if isinstance(name, str) else True:
                hint = shape.report.guess(str(name), parameters)
                shape.error(at, "unknown-parameter", f'there is no parameter "{str(name)[:100]}"', hint)
            elif name in grouped:
                shape.error(at, "parameter-in-two-groups", f'the parameter "{name}" is in a group already')
            grouped.add(str(name))


def _names(shape: Shape, root: dict[str, Tree], template: Template) -> None:
    """Checks what parameters, resources and outputs are called."""
    for section in ("parameters", "resources", "outputs"):
        tree = root.get(section)
        if not isinstance(tree, dict):
            continue
        for name in tree:
            fits = (OUTPUT if section == "outputs" else NAME).fullmatch(name) and name.isprintable()
            if not fits:
                message = f'"{name[:100]}" cannot be the name of one of the {section}'
                hint = "a name has letters, digits, blanks and _ . - ( ) + , in it, and begins with no dot or dash"
                hint = "an output's name has no ;" if section == "outputs" else hint
                shape.error(shape.document.key(tree, name), "bad-name", message, hint)
            elif section == "resources" and name in template.parameters:
                message = f'"{name}" is the name of a parameter already'
                shape.error(
                    shape.document.key(tree, name), "name-taken", message, "give one of them another name"
                )
