"""How much each project may have, what it has, and whether a wish fits."""

from __future__ import annotations

from terrace.services.quotas.keeping import QuotaKeeping

__all__ = ["QuotaKeeping"]
