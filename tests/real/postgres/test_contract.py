"""The contract of ports.Store, over PostgreSQL: the suite is that of tests/contracts/store, with the fixtures here."""

from __future__ import annotations

from tests.contracts.store.test_commits import *  # noqa: F403
from tests.contracts.store.test_crossings import *  # noqa: F403
from tests.contracts.store.test_desired import *  # noqa: F403
from tests.contracts.store.test_engines import *  # noqa: F403
from tests.contracts.store.test_filters import *  # noqa: F403
from tests.contracts.store.test_pages import *  # noqa: F403
from tests.contracts.store.test_quotas import *  # noqa: F403
from tests.contracts.store.test_records import *  # noqa: F403
from tests.contracts.store.test_upkeep import *  # noqa: F403
