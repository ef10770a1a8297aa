"""What is wanted: nodes with properties and edges, the blueprints of composites, outputs, and references across
stacks: every output of a stack is exported under its name, and other stacks of the project use it."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any

import msgspec

from terrace.model.problem import Place
from terrace.model.value import VAULT

ODD = re.compile(r"[^A-Za-z0-9_.-]+")


class Until(StrEnum):
    """What an edge waits for. BOUND: attachments and associations, which live and die with both ends."""

    EXISTS = "exists"
    READY = "ready"
    HEALTHY = "healthy"
    BOUND = "bound"


class Keep(StrEnum):
    """The deletion policy: what becomes of the real thing when the resource is no longer wanted."""

    DELETE = "delete"
    RETAIN = "retain"
    SNAPSHOT = "snapshot"


class Edge(msgspec.Struct, frozen=True, gc=False):
    """A node comes after `node` (a path) has reached `until`."""

    node: str
    until: Until = Until.READY


class Held(msgspec.Struct, frozen=True, omit_defaults=True):
    """What holds or restricts the resources that are somewhere inside a composite: `path` leads to them, by a name or
    a pattern for names for each level. `hooks` and `restricted` as of a Node."""

    path: tuple[str, ...]
    hooks: tuple[str, ...] = ()
    restricted: tuple[str, ...] = ()


class Node(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is wanted of one resource.

    `path` names it in the stack ("web", and inside composites "group/0", "shop/db"). `kind` is the native
    name without the prefix ("Machine"). `properties` hold values and expressions, under native names.
    `edges` are those that do not follow from expressions in the properties (depends_on, and stronger or
    weaker waits); a reference in a property is a READY edge by itself unless an explicit edge says else.
    `provider` is the name of a configured provider, "" for the kind's default. `blueprint` names the
    Blueprint that a composite instantiates. `place` is where the resource stands in its document.
    `implied` marks nodes that Terrace added (an image to pull), shown but not written by anybody.
    `external_id` (a text or an expression, "" for none) names an existing thing at the provider that is taken
    on, checked and never deleted. `hooks` ("pre-create", "post-update") hold it until a person clears them;
    `restricted` ("update", "replace") are refused; `held` says the same of what is in a composite. `ignored` are
    properties of the document that have no effect, each with the reason. `condition` is, in a blueprint, the
    expression over its parameters that says whether there is such a resource at all.
    """

    path: str
    kind: str
    properties: dict[str, Any] = {}
    edges: tuple[Edge, ...] = ()
    keep: Keep = Keep.DELETE
    provider: str = ""
    region: str = ""
    blueprint: str = ""
    place: Place = Place()
    type_name: str = ""
    metadata: dict[str, Any] = {}
    description: str = ""
    implied: bool = False
    external_id: Any = ""
    hooks: tuple[str, ...] = ()
    restricted: tuple[str, ...] = ()
    held: tuple[Held, ...] = ()
    ignored: dict[str, str] = {}
    condition: Any = True


class Output(msgspec.Struct, frozen=True, omit_defaults=True):
    """A named value that a stack or nested template gives to the outside."""

    value: Any
    description: str = ""


class Blueprint(msgspec.Struct, frozen=True, omit_defaults=True):
    """A nested template compiled once. Its nodes' paths are local ("db"); its expressions refer to siblings
    by local path and to its parameters as Call("input", (name, *path)), the enclosing composite's inputs.
    `parameters` are the defaults for what the composite does not give; `required` must be given; `hidden`
    are secret. `choices`: conditions or an `if` stand in it, so that it must be looked through when it is put in
    its place."""

    nodes: tuple[Node, ...]
    outputs: dict[str, Output] = {}
    parameters: dict[str, Any] = {}
    required: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    file: str = ""
    choices: bool = False


class Name(msgspec.Struct, frozen=True, gc=False, order=True):
    """An output of a stack, as others name it. `output` "" stands for all of them, as a map. With the stack VAULT it is
    the secret `output` of the project."""

    project: str
    stack: str
    output: str = ""

    def __str__(self) -> str:
        if self.stack == VAULT:
            return f'secret "{self.output}"'
        return f'output "{self.output}" of stack "{self.stack}"' if self.output else f'stack "{self.stack}"'


class Use(msgspec.Struct, frozen=True, omit_defaults=True):
    """A resource at `path` reads `name`; the path is "" while only the template is known and not the resource.
    `kept` holds the value that it last read, and nothing before it ever read one."""

    path: str
    name: Name
    kept: tuple[Any, ...] = ()


class Found(msgspec.Struct, frozen=True):
    """What there is of a name: `value` holds it, or is empty, and then `why` says why."""

    name: Name
    value: tuple[Any, ...] = ()
    why: str = ""


class Crossing(msgspec.Struct, frozen=True, gc=False):
    """One stack (`reader`, by id, project and name) uses `name` of another."""

    reader: str
    project: str
    stack: str
    name: Name


def owned_name(path: str, uid: str) -> str:
    """The name of the stack that a resource owns: the same for all incarnations, and no other resource's."""
    readable = ODD.sub("-", path).strip("-.")
    if not readable[:1].isalpha():
        readable = f"stack-{readable}".rstrip("-.")
    return f"{readable[:200]}-{uid[:12]}"


class Graph(msgspec.Struct, frozen=True, omit_defaults=True):
    """A compiled template: the stack's top-level nodes (composites unexpanded), blueprints by name, outputs. `moved`
    maps paths that resources had in earlier templates to those they have now: the same thing under another name. `uses`
    are the outputs of other stacks that it is known to read (a project "" is the stack's own)."""

    nodes: tuple[Node, ...] = ()
    blueprints: dict[str, Blueprint] = {}
    outputs: dict[str, Output] = {}
    description: str = ""
    moved: dict[str, str] = {}
    uses: tuple[Use, ...] = ()
