"""Parameters: how they are declared, which values fit them, and which value holds."""

from __future__ import annotations

from typing import Any

import msgspec

from terrace.engine.functions.constraints import Rule
from terrace.engine.functions.constraints import broken as breaks
from terrace.languages.document import Mark

TYPES = ("string", "number", "comma_delimited_list", "json", "boolean")
KEYS = frozenset({"type", "label", "description", "default", "hidden", "constraints", "immutable", "tags"})
PSEUDO = ("OS::stack_id", "OS::stack_name", "OS::project_id")


class Constraint(msgspec.Struct, frozen=True):
    """A rule for values. `kind` is the key of HOT, `rule` its value, checked to be of the right shape."""

    kind: str
    rule: Any
    description: str = ""


class Parameter(msgspec.Struct, frozen=True):
    """A declared parameter. `mark` is where its name stands in the template."""

    name: str
    type: str
    mark: Mark
    default: Any = None
    hidden: bool = False
    description: str = ""
    constraints: tuple[Constraint, ...] = ()
    immutable: bool = False

    @property
    def required(self) -> bool:
        """Whether a value must be given."""
        return self.default is None

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The constraints as plain values."""
        return tuple((one.kind, one.rule, one.description) for one in self.constraints)


def broken(parameter: Parameter, value: Any, *, default: bool = False) -> str:
    """Why a converted value breaks a constraint, in the author's words if there are any; "" when it breaks
    none. Says nothing of a hidden value. Custom constraints do not bind a default."""
    rules = parameter.rules
    if default:
        rules = tuple(rule for rule in rules if rule[0] != "custom_constraint")
    return breaks(rules, value, hidden=parameter.hidden)


# Which constraints fit which types.
FITS = {
    "length": ("string", "comma_delimited_list", "json"),
    "range": ("number",),
    "modulo": ("number",),
    "allowed_values": ("string", "number", "comma_delimited_list", "boolean"),
    "allowed_pattern": ("string",),
    "custom_constraint": TYPES,
}
