"""Parameters that are given a secret of the project by its name: the text `secret:NAME`, or the map {secret: NAME}."""

from __future__ import annotations

import re
from typing import Any

from terrace.languages.document import Document, Mark
from terrace.languages.hot.job import Job
from terrace.languages.hot.parameters.parameter import Parameter
from terrace.model.graph import Node
from terrace.model.value import Call, Ref

PREFIX = "secret:"
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_.-]{0,62}")


def named(value: Any, kind: str) -> str:
    """The name of the secret that a value given to a parameter of type `kind` stands for; "" when it is a value like
    any other. A map is one where the parameter itself holds a map."""
    if isinstance(value, dict) and kind != "json" and value.keys() == {"secret"}:
        value = f"{PREFIX}{value['secret']}"
    if not isinstance(value, str) or not value.startswith(PREFIX):
        return ""
    name = value.removeprefix(PREFIX)
    return name if _NAME.fullmatch(name) else ""


def of_parameter(job: Job, parameter: Parameter, document: Document, mark: Mark, name: str) -> Call:
    """What gives the parameter's value once the secret is known; then it is checked, too."""
    job.secrets.setdefault(name, document.place(mark))
    rules = [list(rule) for rule in parameter.rules if rule[0] != "custom_constraint"]
    value = Ref(PREFIX + name, ("value",))
    return Call("parameter", (parameter.name, parameter.type, value, rules, True))


def refuse(job: Job, parameter: Parameter, document: Document, mark: Mark) -> None:
    """A default for nested templates cannot be a secret: nothing there would wait for it."""
    message = (
        f'the default of parameter "{parameter.name}" of a nested template cannot be a secret of the project'
    )
    hint = "give it to a parameter of the stack's own template, and hand that down as a property"
    job.report.error(document, mark, "secret-as-default", message, hint)


def nodes(job: Job) -> tuple[Node, ...]:
    """The resources that read the secrets which parameters are given."""
    return tuple(
        Node(
            path=PREFIX + name,
            kind="Secret",
            properties={"name": name},
            place=place,
            type_name="Terrace::Secret",
            implied=True,
        )
        for name, place in job.secrets.items()
    )


def shown(value: Any) -> Any:
    """The value of a parameter as it is kept with a stack: a secret by its name."""
    if isinstance(value, Call) and value.function == "parameter" and isinstance(value.args[2], Ref):
        return value.args[2].node
    return value
