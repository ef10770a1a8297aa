"""Every effect on the way from wanted to there: the loop, wake-ups, leases, group commit, providers' listings."""
