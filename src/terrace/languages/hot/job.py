"""What all templates of one compilation share: the files, the tables of kinds, the budget, the mistakes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from terrace.engine.expression import Fuel
from terrace.kinds.schema import TypeEntry
from terrace.languages.compiled import Asked, Setting
from terrace.languages.document import Document, Mark
from terrace.languages.files import OPERATOR, is_remote
from terrace.languages.hot.environments.reading import Environment
from terrace.languages.report import Report
from terrace.languages.tree import parse
from terrace.model.problem import Place, Problem
from terrace.model.stack import Source
from terrace.model.value import Secret

STEPS = 3_000_000
SIZE = 256 * 1024 * 1024


class Asker(msgspec.Struct, frozen=True):
    """Where something is asked for: a place in a document."""

    document: Document
    mark: Mark


class Job:
    """One compilation. `lenient`: for documents that are only checked: what is not about the language is a
    warning. `pseudo` are the values of OS::stack_name and its like. `environment` is the users', `operator` what
    holds below it. `secrets` are those of the project that parameters are given, and where."""

    def __init__(
        self,
        source: Source,
        kinds: Mapping[str, TypeEntry],
        pseudo: Mapping[str, str],
        setting: Setting,
    ) -> None:
        self.source = source
        self.kinds = kinds
        self.pseudo = pseudo
        self.limits = setting.limits
        self.lenient = setting.lenient
        self.report = Report()
        self.fuel = Fuel(STEPS, SIZE)
        self.environment = Environment()
        self.operator = Environment(operator=True)
        self._operators = setting.operator
        self.asked: list[Asked] = []
        self.secrets: dict[str, Place] = {}
        self.report.expect(source.template)
        self._documents: dict[str, Document | None] = {}

    def text(self, name: str) -> str | None:
        """The content of a file that was sent along, or is the operator's."""
        files = self._operators.files if name.startswith(OPERATOR) else self.source.files
        text: Any = files.get(name)
        if isinstance(text, Secret):
            text = text.reveal()
        return text if isinstance(text, str) else None

    def document(self, name: str) -> Document | None:
        """A file as a document, parsed once; None when it cannot be read (which was reported) or is not
        there."""
        if name not in self._documents:
            text = self.text(name)
            self.report.expect(name)
            self._documents[name] = None if text is None else parse(text, name, self.report, self.limits)
        return self._documents[name]

    def missing_file(self, asker: Asker | None, name: str, what: str) -> None:
        """Reports a file that is named and was not sent along."""
        hint = "put it beside the document that names it"
        if is_remote(name):
            hint = "nothing is fetched from addresses: save it beside the template and name the file"
        self.lack(asker, "missing-file", f'{what} "{name[:200]}" is not there', hint)

    def lack(self, asker: Asker | None, code: str, message: str, hint: str = "") -> None:
        """Reports something missing, that a document which is only checked may leave open."""
        severity = "warning" if self.lenient else "error"
        if asker is None:
            self.report.add(Problem(message, code=code, severity=severity, hint=hint))
        elif self.lenient:
            self.report.warn(asker.document, asker.mark, code, message, hint)
        else:
            self.report.error(asker.document, asker.mark, code, message, hint)

    def sent(self, name: str) -> bool:
        """Whether a file came with the request."""
        return not name.startswith(OPERATOR) and self.text(name) is not None

    def read_environments(self) -> None:
        """Takes in the environments, in order."""
        for name in self._operators.environments:
            if (document := self.document(name)) is not None:
                self.operator.read(document, self.report)
        for name in self.source.environments:
            if not self.sent(name):
                self.missing_file(None, name, "the environment")
            elif (document := self.document(name)) is not None:
                self.environment.read(document, self.report)
