"""What goes into a compilation besides the documents, and what comes out."""

from __future__ import annotations

from typing import Any

import msgspec

from terrace.languages.document import LIMITS, Limits
from terrace.model.graph import Graph
from terrace.model.problem import Problem
from terrace.model.stack import Source


class Setting(msgspec.Struct, frozen=True):
    """For whom a template is compiled. `lenient`: what is not about the language is a warning: a missing
    file or parameter, a foreign type or attribute that there is not yet, a property that is refused. `operator` are
    the environments below every user's, and the files that they name."""

    project: str = ""
    stack: str = ""
    stack_id: str = ""
    limits: Limits = LIMITS
    lenient: bool = False
    operator: Source = Source("")


class Asked(msgspec.Struct, frozen=True):
    """A parameter must name a thing that exists: one of a `kind` (Flavor, Image, Network ...) called `value`, or each
    of several. A provider is to be asked; if there is none, `problem` says so."""

    kind: str
    value: Any
    problem: Problem


class Compiled(msgspec.Struct, frozen=True):
    """A template compiled. `parameters` are the values that hold, hidden ones as Secret; `warnings` what to
    know that stops nothing; `language` which language it was written in. `asked` is what providers are to be asked;
    `immutable` are the parameters that never change, each with what to say if it did."""

    graph: Graph
    parameters: dict[str, Any]
    warnings: tuple[Problem, ...] = ()
    language: str = "hot"
    asked: tuple[Asked, ...] = ()
    immutable: dict[str, Problem] = {}
