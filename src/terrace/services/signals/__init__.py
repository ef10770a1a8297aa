"""Words from outside: signals to doors, and sizes of groups."""

from __future__ import annotations

from terrace.services.signals.signals import BODY, Knock, Signals, SignalView
from terrace.services.signals.sizes import Sizes, SizeView, Taken

__all__ = ["BODY", "Knock", "SignalView", "Signals", "SizeView", "Sizes", "Taken"]
