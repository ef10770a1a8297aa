"""The types of OpenStack Heat that our kinds answer to, by family: their properties, and how these are said
in our own words."""

from __future__ import annotations

from typing import Final

from terrace.kinds.heat.cinder import CINDER
from terrace.kinds.heat.ec2 import EC2
from terrace.kinds.heat.floating import FLOATING_IPS
from terrace.kinds.heat.neutron import NEUTRON
from terrace.kinds.heat.nova import NOVA
from terrace.kinds.heat.others import OTHERS
from terrace.kinds.heat.own import OWN
from terrace.kinds.heat.security import SECURITY
from terrace.kinds.heat.signal import SIGNAL
from terrace.kinds.heat.software import SOFTWARE
from terrace.kinds.schema import TypeEntry

_FAMILIES = (NOVA, CINDER, NEUTRON, SECURITY, FLOATING_IPS, OWN, SIGNAL, SOFTWARE, OTHERS, EC2)
HEAT: Final[dict[str, TypeEntry]] = {one.type: one for family in _FAMILIES for one in family}
