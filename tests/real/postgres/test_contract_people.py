"""The contracts of ports.people and ports.audit, over PostgreSQL."""

from __future__ import annotations

from tests.contracts.people.test_audit import *  # noqa: F403
from tests.contracts.people.test_pages import *  # noqa: F403
from tests.contracts.people.test_people import *  # noqa: F403
