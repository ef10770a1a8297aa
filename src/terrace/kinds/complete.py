"""What a template leaves unsaid."""

from __future__ import annotations

from collections.abc import Callable

from terrace.model.graph import Graph
from terrace.ports.driver import Capabilities


def complete(graph: Graph, capabilities_of: Callable[[str], Capabilities]) -> Graph:
    """The graph with everything that follows from it."""
    return graph
