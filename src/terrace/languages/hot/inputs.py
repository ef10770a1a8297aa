"""Where the parameters of a template come from: what was given, or the enclosing composite's properties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from terrace.engine.expression import evaluate
from terrace.engine.functions.convert import convert
from terrace.engine.functions.forms import ASKED
from terrace.languages.compiled import Asked
from terrace.languages.hot.environments.merging import Given, combined
from terrace.languages.hot.job import Asker, Job
from terrace.languages.hot.parameters import vault
from terrace.languages.hot.parameters.parameter import Parameter, broken
from terrace.languages.hot.template import Template
from terrace.languages.report import locate
from terrace.model.problem import Problem
from terrace.model.value import UNKNOWN, Call, Ref, Secret, Unknown, holds

FACADE = "@facade"
"""The parameter under which a nested template gets what it may know of the resource around it."""


class Values:
    """The parameters of a stack's own template: plain values, hidden ones secret."""

    late = False

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values
        self._costs = {name: _cost(value) for name, value in values.items()}

    def names(self) -> Mapping[str, Any]:
        """The parameters that there are."""
        return self.values

    def get(self, name: str, path: tuple[Any, ...], job: Job) -> Any:
        """The value, or the part of it that `path` leads to; an expression when the path is not known yet."""
        value = self.values[name]
        job.fuel.spend(*self._costs[name])
        if not path or value is UNKNOWN:
            return value
        part = Call("path", (value, *path))
        if isinstance(value, Call) or holds(path, Ref) or holds(path, Call):
            return part
        return evaluate(part, lambda ref: None, lambda args: None, job.fuel)

    def facade(self, part: str) -> Any:
        """None: nothing is around a stack's own template."""
        return None


def _cost(value: Any) -> tuple[int, int]:
    """What a value weighs wherever it is put in: values and characters."""
    if isinstance(value, Secret):
        return _cost(value.reveal())
    if isinstance(value, dict | list):
        parts = [_cost(item) for item in (value.values() if isinstance(value, dict) else value)]
        return 1 + sum(steps for steps, _ in parts), sum(size for _, size in parts)
    return 1, len(value) if isinstance(value, str) else 0


class Parts:
    """The parameters of a nested template: expressions over the properties of the composite it becomes. `asked`:
    whether something wants to know of the resource around it."""

    late = True

    def __init__(self, parameters: Mapping[str, Parameter], pseudo: Mapping[str, str]) -> None:
        self._names = {**parameters, **pseudo}
        self._pseudo = pseudo
        self.asked = False

    def names(self) -> Mapping[str, Any]:
        """The parameters that there are."""
        return self._names

    def get(self, name: str, path: tuple[Any, ...], job: Job) -> Any:
        """An expression for the parameter or a part of it."""
        if name in self._pseudo:
            return "" if path else self._pseudo[name]
        return Call("input", (name, *path))

    def facade(self, part: str) -> Any:
        """An expression for what is known of the resource around the template."""
        self.asked = True
        return Call("input", (FACADE, part))

    def type(self, value: Any) -> str:
        """The type of the parameter that `value` is, "" when it is something else."""
        if isinstance(value, Call) and value.function == "input" and len(value.args) == 1:
            known = self._names.get(value.args[0])
            return known.type if isinstance(known, Parameter) else ""
        return ""


def settle(job: Job, template: Template) -> dict[str, Any]:
    """The values that the parameters of a stack's own template have: what was given, else what the
    environments say (parameters, then parameter_defaults), else the default. What is wrong with them is
    reported."""
    requested = _requested(job, template)
    for name, layers in job.environment.parameters.items():
        for value in layers if name not in template.parameters else ():
            if value.document is not None:
                message = f'the template has no parameter "{name[:100]}"'
                hint = job.report.guess(name, template.parameters)
                at = value.document.key(value.document.root["parameters"], name)
                job.report.error(value.document, at, "unknown-parameter", message, hint)
    values: dict[str, Any] = dict(job.pseudo)
    for name, parameter in template.parameters.items():
        given = _environments(job, parameter, job.environment.parameters) if name not in requested else None
        if name in requested:
            given = Given(requested[name], None, parameter.mark)
        values[name] = checked(job, template, parameter, given)
    return values


def checked(job: Job, template: Template, parameter: Parameter, given: Given | None) -> Any:
    """The value of a parameter: what was given, else what environments have as its default, else its own default.
    UNKNOWN when there is none, which is reported."""
    if given is None or given.value is None:
        given = _by_default(job, parameter)
    if given is not None and given.value is not None:
        secret = vault.named(given.value, parameter.type)
        if secret:
            return vault.of_parameter(job, parameter, given.document or template.document, given.mark, secret)
        return check(job, template, parameter, given)
    if parameter.default is None:
        message = f'the parameter "{parameter.name}" has no value'
        hint = f"give one: -p {parameter.name}=..., or in an environment"
        job.lack(Asker(template.document, parameter.mark), "missing-parameter", message, hint)
        return UNKNOWN
    return Secret(parameter.default) if parameter.hidden else parameter.default


def defaults(job: Job, template: Template) -> dict[str, Any]:
    """The defaults that the parameters of a nested template have, by the environments or by themselves."""
    found: dict[str, Any] = {}
    for name, parameter in template.parameters.items():
        given = _by_default(job, parameter)
        if given is not None and vault.named(given.value, parameter.type):
            vault.refuse(job, parameter, given.document or template.document, given.mark)
            found[name] = UNKNOWN
            continue
        if parameter.default is not None or (given is not None and given.value is not None):
            found[name] = checked(job, template, parameter, None)
    return found


def _by_default(job: Job, parameter: Parameter) -> Given | None:
    """What environments have as the default of a parameter: the users', else the operator's."""
    given = _environments(job, parameter, job.environment.defaults)
    if given is None or given.value is None:
        given = _environments(job, parameter, job.operator.defaults)
    return given


def _environments(job: Job, parameter: Parameter, values: Mapping[str, list[Given]]) -> Given | None:
    layers = values.get(parameter.name)
    if layers is None:
        return None
    try:
        return combined(layers, parameter.type)
    except ValueError as error:
        last = layers[-1]
        if last.document is not None:
            message = f'the values given for parameter "{parameter.name}" cannot be merged: one {error}'
            job.report.error(last.document, last.mark, "wrong-type", message, secret=parameter.hidden)
        return Given(UNKNOWN, last.document, last.mark)


def _requested(job: Job, template: Template) -> dict[str, Any]:
    """What came with the request, without what the template does not know."""
    found: dict[str, Any] = {}
    for name, value in job.source.parameters.items():
        if name in template.parameters:
            if value is not None:
                found[name] = value
        else:
            message = f'the template has no parameter "{name[:100]}"'
            hint = job.report.guess(name, template.parameters)
            job.report.add(Problem(message, code="unknown-parameter", hint=hint))
    return found


def check(job: Job, template: Template, parameter: Parameter, given: Given) -> Any:
    """A given value as the parameter holds it. What does not fit is reported where it was given, or else
    where the parameter is declared."""
    plain = given.value.reveal() if isinstance(given.value, Secret) else given.value
    if plain is UNKNOWN:
        return UNKNOWN
    secret = parameter.hidden or isinstance(given.value, Secret)
    if secret:
        job.report.conceal(parameter.name, plain)
    what = f'the value given for parameter "{parameter.name}"'
    try:
        value = convert(parameter.type, plain)
        wrong = broken(parameter, value)
        code, message = "broken-constraint", f"{what} breaks a constraint: {wrong}"
    except ValueError as error:
        value, wrong = UNKNOWN, str(error)
        code, message = "wrong-type", f"{what} {wrong}"
    document = given.document or template.document
    if wrong:
        job.report.error(document, given.mark, code, message, secret=secret)
        return UNKNOWN
    for constraint in parameter.constraints:
        if constraint.kind == "custom_constraint" and constraint.rule in ASKED:
            text = constraint.description or f"{what} names a {constraint.rule} that there is not"
            problem = locate(document, given.mark, Problem(text, code="broken-constraint"), secret=secret)
            job.asked.append(Asked(ASKED[constraint.rule], value, problem))
    return Secret(value) if secret else value


def fit(
    job: Job, template: Template, parameter: Parameter, given: Given, *, kind: str = "", later: bool = False
) -> Any:
    """The value of a nested template's parameter: checked if it is known already, else once it is. `kind` is the type
    that it is known to have; `later` says that a member's number is still to be put in."""
    value = given.value
    rules = [list(rule) for rule in parameter.rules if rule[0] != "custom_constraint"]
    fine = kind == parameter.type or (later and isinstance(value, str) and parameter.type == "string")
    if value is UNKNOWN or (fine and not rules):
        return value
    if not later and not holds(value, Unknown) and not holds(value, Ref) and not holds(value, Call):
        return check(job, template, parameter, given)
    if not isinstance(value, dict | list):
        return Call("parameter", (parameter.name, parameter.type, value, rules, parameter.hidden))
    if parameter.type in ("json", "comma_delimited_list"):
        return value
    return check(job, template, parameter, Given([], given.document, given.mark))
