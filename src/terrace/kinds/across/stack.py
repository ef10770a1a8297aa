"""A stack of its own, owned by a resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from terrace.errors import SpecError
from terrace.kinds.across.stack_output import FOUND
from terrace.kinds.rules.check import read
from terrace.kinds.rules.difference import Rules, defaults_of
from terrace.kinds.rules.noun import Noun
from terrace.kinds.schema import Property, Schema, Type, TypeEntry
from terrace.model.decision import Claim, Effect
from terrace.model.graph import Node
from terrace.model.plan import Note, Verdict
from terrace.model.spec.crossing import StackSpec
from terrace.model.value import UNKNOWN, Call, Secret
from terrace.ports.driver import Capabilities

ELSEWHERE: Final = "a stack on another server or in another region cannot be made yet"


class Stack(Noun):
    """A stack that belongs to a resource: made, changed and deleted with it."""

    name = "Stack"
    provider = "builtin"
    schema: ClassVar[Schema] = Schema(
        properties={
            "template": Property(
                Type.STRING,
                "The template: the name of a file, or its text. It stands by itself and names no other files.",
                required=True,
                minimum=1,
                changes=Effect.UPDATE,
            ),
            "parameters": Property(
                Type.MAP, "Its parameters.", items=Property(Type.ANY), changes=Effect.UPDATE
            ),
            "timeout": Property(
                Type.DURATION, "Until it counts as failed; 0: as usual.", default=0.0, changes=Effect.UPDATE
            ),
            "project": Property(
                Type.STRING,
                "The project that it is in; this one by default. Whoever asks must be allowed to make stacks there.",
                pattern=r"[a-zA-Z][a-zA-Z0-9_.-]{0,62}",
            ),
            "context": Property(
                Type.MAP,
                "Where it is made, when not here: project, as above. Other places are refused.",
                changes=Effect.NONE,
            ),
        },
        attributes={
            "name": "Its name: terrace status shows it.",
            "project": "The project that it is in.",
            "id": "Its id.",
            "outputs": "Its outputs by name.",
        },
        description=(
            "A stack of its own, made, changed and deleted with this resource. Its outputs are followed. Its reference"
            " is its id."
        ),
    )
    rules: ClassVar[Rules] = Rules(
        always=frozenset({"template", "parameters", "timeout", "outputs"}), defaults=defaults_of(StackSpec)
    )

    def spec(self, values: Mapping[str, Any], node: Node, capabilities: Capabilities) -> StackSpec:
        """The typed spec, with the outputs that were found."""
        problems: list[SpecError] = []
        asked = {name: value for name, value in values.items() if name != FOUND}
        plain = read(self.schema.properties, asked, problems)
        if problems:
            raise problems[0]
        if isinstance(plain["template"], Secret):
            raise SpecError("a template must not be hidden; give its parameters hidden values", ("template",))
        found = values.get(FOUND, {"value": {}})
        outputs: Any = found if found is UNKNOWN else found["value"]
        return StackSpec(
            path=node.path,
            template=plain["template"],
            parameters=plain.get("parameters", {}),
            timeout=plain["timeout"],
            outputs=outputs,
            project=plain.get("project", ""),
        )

    def claims(self, spec: Any, capabilities: Capabilities) -> frozenset[Claim]:
        """Its name, which a second incarnation would have as well."""
        return frozenset({Claim("stack", "", spec.path)})

    def notes(self, node: Node, capabilities: Capabilities) -> tuple[Note, ...]:
        """Elsewhere is not possible."""
        return (Note(Verdict.REFUSED, "context", ELSEWHERE),) if node.properties.get("context") else ()


def following(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties with the expression that finds what the own stack exports in them."""
    project = properties.get("project")
    return {**properties, FOUND: Call("export", () if project is None else (project,))}


def _minutes(properties: dict[str, Any]) -> dict[str, Any]:
    """Heat's words in ours: its timeout is in minutes."""
    native = dict(properties)
    timeout = native.get("timeout")
    if isinstance(timeout, int | float) and not isinstance(timeout, bool):
        native["timeout"] = timeout * 60
    context = native.get("context")
    if isinstance(context, dict) and "project" in context:
        native["project"] = context["project"]
        native["context"] = {name: value for name, value in context.items() if name != "project"}
    return native


HEAT_STACK: Final[dict[str, TypeEntry]] = {
    "OS::Heat::Stack": TypeEntry(
        "OS::Heat::Stack",
        "Stack",
        {
            **{name: Stack.schema.properties[name] for name in ("template", "parameters", "context")},
            "timeout": Property(Type.INTEGER, "Minutes.", minimum=1),
        },
        {"stack_name": "name", "outputs": "outputs", "project": "project"},
        _minutes,
        description="Answers to Heat's OS::Heat::Stack.",
    )
}
