"""A template with its environments and files -> a graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from terrace.kinds.schema import TypeEntry
from terrace.languages.circles import circles
from terrace.languages.compiled import Compiled, Setting
from terrace.languages.document import collector_paused
from terrace.languages.hot.expressions import Expressions, Inputs
from terrace.languages.hot.inputs import Parts, Values, check, settle
from terrace.languages.hot.job import Asker, Job
from terrace.languages.hot.parameters import PSEUDO
from terrace.languages.hot.resources import Resources
from terrace.languages.hot.targets import Nested, Target, Types
from terrace.languages.hot.template import NOT_YET, Template, read_template
from terrace.languages.shape import Shape, describe
from terrace.model.graph import Blueprint, Graph, Node, Output
from terrace.model.stack import Source
from terrace.model.value import Secret

DEEPEST = 20
"""Levels of templates in templates."""

OUTPUT_KEYS = ("value", "description", "condition")


def compile_template(source: Source, kinds: Mapping[str, TypeEntry], setting: Setting) -> Compiled:
    """The graph of `source`; DocumentError with every mistake in any of its documents."""
    pseudo = dict(zip(PSEUDO, (setting.stack_id, setting.stack, setting.project), strict=True))
    job = Job(source, kinds, pseudo, limits=setting.limits, lenient=setting.lenient)
    with collector_paused():
        graph, values = _Compiler(job).top()
    job.report.check()
    parameters = {name: value for name, value in values.items() if name not in pseudo}
    return Compiled(graph, parameters, job.report.problems(), "hot")


class _Compiler:
    """Compiles the templates of one job, each nested one once. `chain` are those that are being compiled."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.nested: dict[str, Nested | None] = {}
        self.chain: list[str] = []

    def top(self) -> tuple[Graph, dict[str, Any]]:
        """The stack's own template, and the values of its parameters."""
        job, name = self.job, self.job.source.template
        if job.text(name) is None:
            job.missing_file(None, name, "the template")
        job.read_environments()
        template = self.read(name)
        if template is None:
            return Graph(), {}
        self.chain.append(name)
        values = settle(job, template)
        nodes, outputs, _ = self.body(template, Values(values))
        blueprints = {file: nested.blueprint for file, nested in self.nested.items() if nested is not None}
        return Graph(nodes, blueprints, outputs, template.description), values

    def read(self, name: str) -> Template | None:
        """The template in a file; None when it is none."""
        document = self.job.document(name)
        return None if document is None else read_template(document, self.job.report)

    def nest(self, file: str, asker: Asker) -> Nested | None:
        """The template in `file`, compiled once; None when it cannot be used, which was reported."""
        job = self.job
        if file in self.chain or len(self.chain) > DEEPEST:
            chain = " -> ".join([*self.chain[-DEEPEST:], file])
            message = f"templates nest in a circle, or more than {DEEPEST} deep: {chain}"
            job.report.error(asker.document, asker.mark, "circular-templates", message)
            return None
        if job.text(file) is None:
            job.missing_file(asker, file, "the template")
            return None
        if file not in self.nested:
            template = self.read(file)
            self.chain.append(file)
            self.nested[file] = None if template is None else self.blueprint(template, file)
            self.chain.pop()
        return self.nested[file]

    def blueprint(self, template: Template, file: str) -> Nested:
        """A nested template, with its parameters open."""
        job = self.job
        defaults: dict[str, Any] = {}
        for name, parameter in template.parameters.items():
            given = job.environment.defaults.get(name)
            if given is not None and given.value is not None:
                defaults[name] = check(job.report, template, parameter, given)
            elif parameter.default is not None:
                defaults[name] = Secret(parameter.default) if parameter.hidden else parameter.default
        nodes, outputs, targets = self.body(template, Parts(template.parameters, job.pseudo))
        blueprint = Blueprint(
            nodes=nodes,
            outputs=outputs,
            parameters=defaults,
            required=tuple(name for name in template.parameters if name not in defaults),
            hidden=tuple(name for name, parameter in template.parameters.items() if parameter.hidden),
            file=file,
        )
        return Nested(file, blueprint, template.parameters, targets)

    def body(
        self, template: Template, inputs: Inputs
    ) -> tuple[tuple[Node, ...], dict[str, Output], dict[str, Target | None]]:
        """The nodes and outputs of one template, and what its resources are."""
        job = self.job
        expressions = Expressions(job, template, inputs)
        resources = Resources(job, template, expressions, Types(job, template.document, self.nest))
        resources.find_targets()
        nodes = resources.compile()
        _check_circles(job, template, resources)
        return nodes, _outputs(job, template, expressions), resources.targets


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


def _outputs(job: Job, template: Template, expressions: Expressions) -> dict[str, Output]:
    shape = Shape(template.document, job.report)
    found: dict[str, Output] = {}
    for name, tree in template.outputs.items():
        what = f'output "{name}"'
        at = template.document.value(template.outputs, name)
        if not isinstance(tree, dict):
            shape.error(at, "wrong-type", f"{what} must be a map with a value, not {describe(tree)}")
            continue
        shape.known(tree, OUTPUT_KEYS, what)
        if "condition" in tree:
            message = "condition of an output cannot be used yet"
            shape.error(template.document.key(tree, "condition"), "not-supported-yet", message, NOT_YET)
        if "value" not in tree:
            at = template.document.key(template.outputs, name)
            shape.error(at, "missing-key", f"{what} has no value")
            continue
        description = shape.text(tree, "description", f"the description of {what}")
        found[name] = Output(expressions.value(tree["value"]), description)
    return found
