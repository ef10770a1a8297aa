"""What a server keeps for projects: secrets, keys, quotas."""
