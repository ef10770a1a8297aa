"""Load balancers: where requests come in, what they go on to, and how that is asked whether it is well."""

from __future__ import annotations

from terrace.kinds.balance.balancer import LoadBalancer
from terrace.kinds.balance.listener import Listener
from terrace.kinds.balance.monitor import HealthMonitor
from terrace.kinds.balance.octavia import OCTAVIA
from terrace.kinds.balance.pool import Pool, PoolMember

__all__ = ["OCTAVIA", "HealthMonitor", "Listener", "LoadBalancer", "Pool", "PoolMember"]
