"""A template with its environments and files -> a graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from terrace.engine.circles import circles
from terrace.kinds.schema import TypeEntry
from terrace.languages.compiled import Compiled, Setting
from terrace.languages.document import collector_paused
from terrace.languages.hot.conditions import Conditions
from terrace.languages.hot.environments.registry import Scopes, typed
from terrace.languages.hot.expressions import Expressions, Inputs
from terrace.languages.hot.functions.table import vocabulary
from terrace.languages.hot.inputs import Parts, Values, defaults, settle
from terrace.languages.hot.job import Asker, Job
from terrace.languages.hot.parameters import vault
from terrace.languages.hot.parameters.parameter import PSEUDO
from terrace.languages.hot.resources import Resources
from terrace.languages.hot.targets import Nested, Target, Types
from terrace.languages.hot.template import Template, read_template, since
from terrace.languages.report import locate
from terrace.languages.shape import Shape, describe
from terrace.model.graph import Blueprint, Graph, Node, Output
from terrace.model.problem import Problem
from terrace.model.stack import Source
from terrace.model.value import Call, Ref

DEEPEST = 20
"""Levels of templates in templates."""

OUTPUT_KEYS = ("value", "description", "condition")


def compile_template(source: Source, kinds: Mapping[str, TypeEntry], setting: Setting) -> Compiled:
    """The graph of `source`; DocumentError with every mistake in any of its documents."""
    pseudo = dict(zip(PSEUDO, (setting.stack_id, setting.stack, setting.project), strict=True))
    job = Job(source, kinds, pseudo, setting)
    with collector_paused():
        graph, values, immutable = _Compiler(job).top()
    job.report.check()
    parameters = {name: vault.shown(value) for name, value in values.items() if name not in pseudo}
    return Compiled(graph, parameters, job.report.problems(), "hot", tuple(job.asked), immutable)


class _Compiler:
    """Compiles the templates of one job, each nested one once for what holds at its place. `chain` are those that are
    being compiled."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.nested: dict[str, Nested | None] = {}
        self.chain: list[str] = []

    def top(self) -> tuple[Graph, dict[str, Any], dict[str, Problem]]:
        """The stack's own template, the values of its parameters, and those that never change."""
        job, name = self.job, self.job.source.template
        sent = job.sent(name)
        if not sent:
            job.missing_file(None, name, "the template")
        job.read_environments()
        template = self.read(name) if sent else None
        if template is None:
            return Graph(), {}, {}
        self.chain.append(name)
        values = settle(job, template)
        body = self.body(template, Values(values), (job.environment.registry, job.operator.registry), "")
        blueprints = {name: nested.blueprint for name, nested in self.nested.items() if nested is not None}
        nodes = (*vault.nodes(job), *body.nodes)
        graph = Graph(nodes, blueprints, body.outputs, template.description, job.environment.moved)
        return graph, values, _immutable(job, template)

    def read(self, name: str) -> Template | None:
        """The template in a file; None when it is none."""
        document = self.job.document(name)
        return None if document is None else read_template(document, self.job.report)

    def nest(self, file: str, asker: Asker, scopes: Scopes, path: str) -> Nested | None:
        """The template in `file` as it is for the resource at `path`, where `scopes` hold; None when it cannot be
        used, which was reported."""
        job = self.job
        if file in self.chain or len(self.chain) > DEEPEST:
            chain = " -> ".join([*self.chain[-DEEPEST:], file])
            message = f"templates nest in a circle, or more than {DEEPEST} deep: {chain}"
            job.report.error(asker.document, asker.mark, "circular-templates", message)
            return None
        if job.text(file) is None:
            job.missing_file(asker, file, "the template")
            return None
        name = f"{file}#{path}" if typed(scopes) else file
        if name not in self.nested:
            template = self.read(file)
            self.chain.append(file)
            self.nested[name] = (
                None if template is None else self.blueprint(template, file, name, (scopes, path))
            )
            self.chain.pop()
        return self.nested[name]

    def blueprint(self, template: Template, file: str, name: str, at: tuple[Scopes, str]) -> Nested:
        """A nested template, with its parameters open."""
        found = defaults(self.job, template)
        inputs = Parts(template.parameters, self.job.pseudo)
        body = self.body(template, inputs, *at)
        blueprint = Blueprint(
            nodes=body.nodes,
            outputs=body.outputs,
            parameters=found,
            required=tuple(name for name in template.parameters if name not in found),
            hidden=tuple(name for name, parameter in template.parameters.items() if parameter.hidden),
            file=file,
            choices=body.choices or any(node.condition is not True for node in body.nodes),
        )
        return Nested(file, name, blueprint, template.parameters, body.targets, inputs.asked)

    def body(self, template: Template, inputs: Inputs, scopes: Scopes, path: str) -> _Body:
        """What is in one template, which is at `path` in the stack, where `scopes` hold."""
        job = self.job
        expressions = Expressions(job, template, inputs, vocabulary(template.version))
        conditions = expressions.conditions = Conditions(expressions)
        conditions.check()
        inside = tuple(scope for scope in scopes if scope.inside)
        resources = Resources(expressions, Types(job, template.document, self.nest, path), inside)
        resources.find_targets()
        nodes = resources.compile()
        _check_circles(job, template, resources)
        outputs = _outputs(expressions)
        return _Body(nodes, outputs, resources.targets, expressions.choices)


class _Body(NamedTuple):
    """What is in a template. `choices`: some of it hangs on conditions that are not known yet."""

    nodes: tuple[Node, ...]
    outputs: dict[str, Output]
    targets: dict[str, Target | None]
    choices: bool


def _immutable(job: Job, template: Template) -> dict[str, Problem]:
    """The parameters that never change, each with what to say if it did."""
    found = {}
    for name, parameter in template.parameters.items():
        if parameter.immutable:
            message = f'the parameter "{name}" is immutable: it keeps the value it was given first'
            hint = "give the value that it has, or make a new stack"
            problem = Problem(message, code="immutable-parameter", hint=hint)
            found[name] = locate(template.document, parameter.mark, problem)
    return found


def _check_circles(job: Job, template: Template, resources: Resources) -> None:
    for circle in circles(resources.needs):
        container, key = resources.needs[circle[0]][circle[1]]
        at = template.document.value(container, key)
        names = container[key]
        if isinstance(names, list) and circle[1] in names:
            at = template.document.value(names, names.index(circle[1]))
        chain = " -> ".join(circle[:20])
        hint = "take one of these references away"
        job.report.error(
            template.document, at, "circular-reference", f"resources wait for each other: {chain}", hint
        )


def _outputs(on: Expressions) -> dict[str, Output]:
    document, template = on.document, on.template
    shape = Shape(document, on.job.report)
    found: dict[str, Output] = {}
    for name, tree in template.outputs.items():
        what = f'output "{name}"'
        if not isinstance(tree, dict):
            at = document.value(template.outputs, name)
            shape.error(at, "wrong-type", f"{what} must be a map with a value, not {describe(tree)}")
            continue
        shape.known(tree, OUTPUT_KEYS, what)
        if "value" not in tree:
            shape.error(document.key(template.outputs, name), "missing-key", f"{what} has no value")
            continue
        description = shape.text(tree, "description", f"the description of {what}")
        found[name] = Output(_output(on, shape, tree), description)
    return found


def _output(on: Expressions, shape: Shape, tree: dict[str, Any]) -> Any:
    """The value of an output; None when its condition leaves it out."""
    condition: Any = True
    if "condition" in tree:
        since(shape, tree, "condition", on.template.version)
        if tree["condition"] is not None and on.conditions is not None:
            condition = on.conditions.read(tree["condition"], tree, "condition")
    if condition is False:
        return None
    value = on.argument(tree["value"])
    if isinstance(condition, Ref | Call):
        on.choices = True
        return Call("if", (condition, value, None))
    return value
