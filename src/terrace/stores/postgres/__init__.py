"""A store in PostgreSQL, for many servers. Importing it loads psycopg, so it is imported only where it is used."""

from terrace.stores.postgres.address import Address
from terrace.stores.postgres.store import PostgresStore

__all__ = ["Address", "PostgresStore"]
