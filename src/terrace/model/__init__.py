"""Frozen values that every floor speaks in. Structs of msgspec: as frozen and slotted as a dataclass,
cheaper to make, compare and encode, and (gc=False) invisible to the garbage collector where they hold no
cycle."""
