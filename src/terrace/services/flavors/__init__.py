"""Which flavors each project may use, and whether a wish keeps to them."""

from __future__ import annotations

from terrace.services.flavors.keeping import FlavorKeeping

__all__ = ["FlavorKeeping"]
