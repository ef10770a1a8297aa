"""errors.md: every code that can be raised."""

from __future__ import annotations

from scripts.reference.codes import Found, scan
from scripts.reference.text import ROOT, code, page, table, words

TITLES = {
    "documents": "In templates, environments and parameters",
    "requests": "In requests",
    "people": "Who may do what",
    "providers": "From providers",
    "cli": "On the command line",
    "server": "From the server itself",
}
"""The tables of errors.toml."""
NOTED = {"error", "fail", "stop", "lack", "mistake", "Problem"}
"""The functions that note a mistake in a document."""


def errors() -> str:
    """Every code that can be raised."""
    found, text = scan(ROOT / "src" / "terrace"), words("errors")
    return page(
        "Errors",
        "Every error has a `code`, a `message`, and mostly a `hint` that says what to do now. The codes are "
        "stable; the messages may change. The API sends them as problem documents (RFC 9457) with the HTTP status "
        "below; under `-o json` the command line prints them as JSON on standard error. Some codes can come from "
        "more than one place.",
        "A provider's passing trouble (*tried again*) is retried with growing pauses of up to 5 minutes, for ever; "
        "its definite no (*final*) every 10 minutes, at once when you change the stack, or with `terrace retry`.",
        *(
            part
            for group, title in TITLES.items()
            for part in (f"## {title}", _table(group, text[group], found))
        ),
    )


def _table(group: str, entries: dict[str, dict[str, str]], found: dict[str, Found]) -> str:
    http = group not in ("cli", "server")
    heads = ["Code", "What it means", "What to do", *(["HTTP"] if http else [])]
    return table(
        heads,
        (
            [code(name), line["means"], line["do"], *([_status(name, found[name].callers)] if http else [])]
            for name, line in sorted(entries.items())
            if name in found
        ),
    )


def _status(name: str, callers: set[str]) -> str:
    """The HTTP status that a code comes with, and whether it is tried again."""
    from terrace import errors as tree
    from terrace.api.problems import CODES, PLAIN, STATUS
    from terrace.drivers.docker.wire.faults import _RULES

    raised = [getattr(tree, caller) for caller in sorted(callers) if caller in vars(tree)]
    raised += [
        tree.TransientError if one.transient else tree.PermanentError for one in _RULES if one.code == name
    ]
    status = {next(number for kind, number in STATUS if issubclass(one, kind)) for one in raised}
    plain = {text: number for number, text in PLAIN.items()}
    if name in CODES or name in plain:
        status = {CODES.get(name) or plain[name]}
    elif callers & NOTED:
        status.add(422)
    again = (
        ", tried again"
        if tree.TransientError in raised
        else ", final"
        if tree.PermanentError in raised
        else ""
    )
    return ", ".join(map(str, sorted(status))) + again
