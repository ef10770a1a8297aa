"""What waits for a word from outside: doors for signals, and conditions on what came through them."""

from __future__ import annotations

from terrace.kinds.signal.alarm import Alarm
from terrace.kinds.signal.condition import WaitCondition
from terrace.kinds.signal.handle import WaitConditionHandle

__all__ = ["Alarm", "WaitCondition", "WaitConditionHandle"]
