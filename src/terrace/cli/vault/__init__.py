"""Commands about what is kept for projects: secrets, keys, quotas."""
