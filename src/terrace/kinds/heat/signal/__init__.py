"""Heat's and AWS's names for what signals move: doors and what waits at them, groups that grow and shrink, alarms."""

from __future__ import annotations

from typing import Final

from terrace.kinds.heat.signal.alarms import ALARMS
from terrace.kinds.heat.signal.doors import DOORS
from terrace.kinds.heat.signal.groups import GROUPS
from terrace.kinds.schema import TypeEntry

SIGNAL: Final[tuple[TypeEntry, ...]] = (*DOORS, *GROUPS, *ALARMS)
