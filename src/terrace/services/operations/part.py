"""`up --target` and `--exclude`: a wish applied in part."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from terrace.engine.blend import blend
from terrace.errors import NotFoundError, UserError
from terrace.model.graph import Graph


def in_part(new: Graph, old: Graph, targets: Sequence[str], excludes: Sequence[str]) -> Graph:
    """The graph in which only `targets` (all, when none is named) without `excludes` are as in `new`, and all others as
    in `old`. NotFoundError for a path that neither has; UserError for one inside a composite, and where something needs
    what is excluded."""
    known = {node.path for graph in (new, old) for node in graph.nodes}
    for path in (*targets, *excludes):
        _check(path, known)

    def chosen(path: str) -> bool:
        return path not in excludes and (path in targets or not targets)

    return blend(new, old, chosen, excludes)


def _check(path: str, known: set[str]) -> None:
    top = path.partition("/")[0]
    if path in known:
        return
    if top in known:
        raise UserError(
            f'"{path}" is inside "{top}", which changes as a whole',
            code="not-possible",
            hint=f"name {top} instead",
        )
    close = difflib.get_close_matches(path, known, 1)
    raise NotFoundError(
        f'there is no resource "{path}", neither in the template nor in the stack',
        hint=f'did you mean "{close[0]}"?' if close else "terrace status shows what there is",
    )
