"""Collects the mistakes of a set of documents, each with its place, so that all are told in one go, and keeps
hidden values out of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from terrace.errors import DocumentError
from terrace.languages.document import Document, Mark
from terrace.model.problem import Problem

MOST_PROBLEMS = 1000
MOST_GUESSES = 50
MOST_CANDIDATES = 2000
LONGEST_LINE = 500
SHORTEST_SECRET = 4
MASK = "******"


class Report:
    """The mistakes found so far."""

    def __init__(self) -> None:
        self._problems: dict[Problem, None] = {}
        self._files: dict[str, int] = {}
        self._secrets: set[str] = set()
        self._hidden: set[str] = set()
        self._guesses = 0
        self.errors = 0

    @property
    def full(self) -> bool:
        """Whether no more mistakes are taken."""
        return len(self._problems) >= MOST_PROBLEMS

    def expect(self, file: str) -> None:
        """Gives a file its place in the order in which mistakes are told: as it comes."""
        self._files.setdefault(file, len(self._files))

    def add(self, problem: Problem) -> None:
        """Takes a mistake, once, and while there are not too many."""
        if problem in self._problems:
            return
        self.errors += problem.severity == "error"
        if not self.full:
            self.expect(problem.file)
            self._problems[problem] = None

    def error(
        self, document: Document, mark: Mark, code: str, message: str, hint: str = "", *, secret: bool = False
    ) -> None:
        """A mistake at a position of a document. `secret`: the line shows a hidden value: it is not
        quoted."""
        self.add(locate(document, mark, Problem(message, code=code, hint=hint), secret=secret))

    def warn(self, document: Document, mark: Mark, code: str, message: str, hint: str = "") -> None:
        """Something to know that stops nothing."""
        self.add(locate(document, mark, Problem(message, code=code, hint=hint, severity="warning")))

    def guess(self, word: str, known: Iterable[str], *, of_family: bool = False) -> str:
        """A hint that names the known word nearest to a mistyped one; "" when nothing is near. Only the first
        mistakes get one: it is dear. `of_family`: they share much of their names, and must be nearer."""
        self._guesses += 1
        if self._guesses > MOST_GUESSES or len(word) > 200:
            return ""
        lowered = {name.lower(): name for name in list(known)[:MOST_CANDIDATES]}
        near = get_close_matches(word.lower(), lowered, n=1, cutoff=0.8 if of_family else 0.6)
        return f'did you mean "{lowered[near[0]]}"?' if near else ""

    def conceal(self, name: str, value: Any) -> None:
        """From now on no problem shows the value of the hidden parameter `name`, nor what follows the name in
        a line of a document."""
        self._hidden.add(name)
        if isinstance(value, dict | list):
            for item in value.values() if isinstance(value, dict) else value:
                self.conceal(name, item)
        elif value is not None:
            lines = (line.strip() for line in str(value).splitlines())
            self._secrets.update(line for line in lines if len(line) >= SHORTEST_SECRET)

    def problems(self) -> tuple[Problem, ...]:
        """All mistakes, errors before warnings, in the order of the documents."""
        found = sorted(
            self._problems, key=lambda p: (p.severity != "error", self._files[p.file], p.line, p.column)
        )
        return tuple(map(self._masked, found)) if self._hidden else tuple(found)

    def check(self) -> None:
        """DocumentError with all problems if one of them is an error."""
        if self.errors:
            raise DocumentError(self.problems())

    def _masked(self, problem: Problem) -> Problem:
        return Problem(
            message=self._without_secrets(problem.message),
            file=problem.file,
            line=problem.line,
            column=problem.column,
            code=problem.code,
            severity=problem.severity,
            hint=self._without_secrets(problem.hint),
            source=self._without_hidden(self._without_secrets(problem.source)),
            length=problem.length,
        )

    def _without_secrets(self, text: str) -> str:
        for secret in sorted(self._secrets, key=lambda secret: (-len(secret), secret)):
            text = text.replace(secret, MASK)
        return text

    def _without_hidden(self, line: str) -> str:
        names = "|".join(re.escape(name) for name in sorted(self._hidden))
        given = rf"""((?:^|[\s{{,"'])(?:{names})["']?\s*:\s*)(?![\s{{]*type\b)\S.*"""
        return re.sub(given, rf"\1{MASK}", line)


def locate(document: Document, mark: Mark, problem: Problem, *, secret: bool = False) -> Problem:
    """`problem` with its place in a document, the line it stands on and how much of it to underline."""
    source = "" if secret else document.line(mark)
    if len(source) > LONGEST_LINE:
        source = ""
    return Problem(
        message=problem.message,
        file=document.file,
        line=mark.line + 1,
        column=mark.column + 1,
        code=problem.code,
        severity=problem.severity,
        hint=problem.hint,
        source=source,
        length=document.length(mark) if source else 1,
    )
