"""The types of OpenStack Heat that our kinds answer to, by family: their properties, and how these are said
in our own words."""

from __future__ import annotations

from typing import Final

from terrace.kinds.heat.cinder import CINDER
from terrace.kinds.heat.neutron import NEUTRON
from terrace.kinds.heat.nova import NOVA
from terrace.kinds.heat.own import OWN
from terrace.kinds.heat.signal import SIGNAL
from terrace.kinds.schema import TypeEntry

HEAT: Final[dict[str, TypeEntry]] = {one.type: one for one in (*NOVA, *CINDER, *NEUTRON, *OWN, *SIGNAL)}
