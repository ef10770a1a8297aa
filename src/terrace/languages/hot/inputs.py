"""Where the parameters of a template come from: what was given, or the enclosing composite's properties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from terrace.engine.expression import evaluate
from terrace.languages.hot.environment import Given
from terrace.languages.hot.job import Asker, Job
from terrace.languages.hot.parameters import Parameter, broken, convert
from terrace.languages.hot.template import Template
from terrace.languages.report import Report
from terrace.model.problem import Problem
from terrace.model.value import UNKNOWN, Call, Ref, Secret, Unknown, holds


class Values:
    """The parameters of a stack's own template: plain values, hidden ones secret."""

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
        if holds(path, Ref) or holds(path, Call):
            return part
        return evaluate(part, lambda ref: None, lambda args: None, job.fuel)


def _cost(value: Any) -> tuple[int, int]:
    """What a value weighs wherever it is put in: values and characters."""
    if isinstance(value, Secret):
        return _cost(value.reveal())
    if isinstance(value, dict | list):
        parts = [_cost(item) for item in (value.values() if isinstance(value, dict) else value)]
        return 1 + sum(steps for steps, _ in parts), sum(size for _, size in parts)
    return 1, len(value) if isinstance(value, str) else 0


class Parts:
    """The parameters of a nested template: expressions over the properties of the composite it becomes."""

    def __init__(self, parameters: Mapping[str, Parameter], pseudo: Mapping[str, str]) -> None:
        self._names = {**parameters, **pseudo}
        self._pseudo = pseudo

    def names(self) -> Mapping[str, Any]:
        """The parameters that there are."""
        return self._names

    def get(self, name: str, path: tuple[Any, ...], job: Job) -> Any:
        """An expression for the parameter or a part of it."""
        if name in self._pseudo:
            return "" if path else self._pseudo[name]
        return Call("input", (name, *path))


def settle(job: Job, template: Template) -> dict[str, Any]:
    """The values that the parameters of a stack's own template have: what was given, else what the
    environments say (parameters, then parameter_defaults), else the default. What is wrong with them is
    reported."""
    given = {
        name: Given(value, None, template.parameters[name].mark) for name, value in _requested(job, template)
    }
    for name, value in job.environment.parameters.items():
        if name in template.parameters:
            given.setdefault(name, value)
        elif value.document is not None:
            message = f'the template has no parameter "{name[:100]}"'
            hint = job.report.guess(name, template.parameters)
            at = value.document.key(value.document.root["parameters"], name)
            job.report.error(value.document, at, "unknown-parameter", message, hint)
    values: dict[str, Any] = dict(job.pseudo)
    for name, parameter in template.parameters.items():
        choice = given.get(name) or job.environment.defaults.get(name)
        if choice is None or choice.value is None:
            values[name] = _default(job, template, parameter)
        else:
            values[name] = check(job.report, template, parameter, choice)
    return values


def _requested(job: Job, template: Template) -> list[tuple[str, Any]]:
    """What came with the request, without what the template does not know."""
    found = []
    for name, value in job.source.parameters.items():
        if name in template.parameters:
            found.append((name, value))
        else:
            message = f'the template has no parameter "{name[:100]}"'
            hint = job.report.guess(name, template.parameters)
            job.report.add(Problem(message, code="unknown-parameter", hint=hint))
    return found


def _default(job: Job, template: Template, parameter: Parameter) -> Any:
    if parameter.default is None:
        message = f'the parameter "{parameter.name}" has no value'
        hint = f"give one: -p {parameter.name}=..., or in an environment"
        job.lack(Asker(template.document, parameter.mark), "missing-parameter", message, hint)
        return UNKNOWN
    return Secret(parameter.default) if parameter.hidden else parameter.default


def check(report: Report, template: Template, parameter: Parameter, given: Given) -> Any:
    """A given value as the parameter holds it. What does not fit is reported where it was given, or else
    where the parameter is declared."""
    plain = given.value.reveal() if isinstance(given.value, Secret) else given.value
    secret = parameter.hidden or isinstance(given.value, Secret)
    if secret:
        report.conceal(parameter.name, plain)
    what = f'the value given for parameter "{parameter.name}"'
    try:
        value = convert(parameter.type, plain)
        wrong = broken(parameter, value)
        code, message = "broken-constraint", f"{what} breaks a constraint: {wrong}"
    except ValueError as error:
        value, wrong = UNKNOWN, str(error)
        code, message = "wrong-type", f"{what} {wrong}"
    if wrong:
        document = given.document or template.document
        report.error(document, given.mark, code, message, secret=secret)
        return UNKNOWN
    return Secret(value) if secret else value


def fit(report: Report, template: Template, parameter: Parameter, given: Given) -> Any:
    """The value of a nested template's parameter: checked if it is known already, else left as it is."""
    value = given.value
    if holds(value, Unknown) or holds(value, Ref) or holds(value, Call):
        return value
    return check(report, template, parameter, given)
