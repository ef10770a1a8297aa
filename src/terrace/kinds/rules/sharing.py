"""How a template says that other projects may refer to a thing of its own."""

from __future__ import annotations

from typing import Final

from terrace.kinds.schema import Property, Type
from terrace.model.decision import Effect

SHARED_WITH: Final = Property(
    Type.LIST,
    "Other projects whose templates may refer to it, by its id or name.",
    items=Property(Type.STRING, pattern=r"[a-zA-Z][a-zA-Z0-9_.-]{0,62}"),
    changes=Effect.UPDATE,
)
