"""People that a directory (LDAP) knows."""
