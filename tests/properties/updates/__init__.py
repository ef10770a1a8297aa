"""What changing one property of a resource is tried with: a table over all kinds and properties.

A property without an entry fails `test_updates.py`, with the line to add. A kind that neither the simulated
provider nor Terrace itself makes is named in ELSEWHERE, with where its updates are tried.
"""

from __future__ import annotations

from tests.properties.updates.balance import BALANCE
from tests.properties.updates.case import Case
from tests.properties.updates.machines import MACHINES
from tests.properties.updates.net import NET
from tests.properties.updates.own import OWN
from tests.properties.updates.scaling import SCALING
from tests.properties.updates.software import SOFTWARE

CASES: dict[str, Case] = MACHINES | NET | BALANCE | SOFTWARE | SCALING | OWN

ELSEWHERE: dict[str, str] = {"Stack": "tests/unit/api/test_across.py"}
