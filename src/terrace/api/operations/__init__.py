"""Operations on a stack over HTTP."""

from __future__ import annotations

from terrace.api.operations import adoption, changing, hooks, looking, orders, snapshots

ROUTERS = (orders, looking, adoption, hooks, changing, snapshots)
