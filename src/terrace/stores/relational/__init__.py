"""A store in tables, whatever database keeps them: the SQL and what goes around it, once for all of them."""

from terrace.stores.relational.database import Database, Result, Writer
from terrace.stores.relational.store import RelationalStore

__all__ = ["Database", "RelationalStore", "Result", "Writer"]
