"""How each property of load balancers and what stands on them changes: where a provider can do all, and nothing."""

from __future__ import annotations

from typing import Any

from terrace.model.decision import Effect

_UP, _RE = Effect.UPDATE, Effect.REPLACE
_FRONT = {"balancer": "b", "protocol": "HTTP", "port": 80}
_HTTP = {"listener": "l", "protocol": "HTTP", "algorithm": "ROUND_ROBIN"}
_MEMBER = {"pool": "p", "address": "10.0.0.9", "port": 80}
_MONITOR = {"pool": "p", "type": "HTTP", "delay": 5, "timeout": 3, "retries": 2}
BALANCE: list[tuple[str, dict[str, Any], str, Any, Any, Effect, Effect]] = [
    *(
        (kind, rest, name, before, after, willing, unable)
        for kind, rest, changes_of in (
            (
                "LoadBalancer",
                {"network": "n"},
                (
                    ("network", "n", "m", _RE, _RE),
                    ("subnet", None, "s", _RE, _RE),
                    ("address", None, "10.0.0.9", _RE, _RE),
                    ("security_groups", [], ["g"], _UP, _RE),
                    ("name", "a", "b", _UP, _UP),
                    ("description", "", "b", _UP, _UP),
                    ("enabled", True, False, _UP, _RE),
                ),
            ),
            (
                "Listener",
                _FRONT,
                (
                    ("balancer", "a", "b", _RE, _RE),
                    ("protocol", "HTTP", "TCP", _RE, _RE),
                    ("port", 80, 81, _RE, _RE),
                    ("pool", None, "p", _UP, _RE),
                    ("limit", -1, 9, _UP, _RE),
                    ("allowed", [], ["10.0.0.0/8"], _UP, _RE),
                    ("certificate", None, "c", _UP, _RE),
                    ("more_certificates", [], ["c"], _UP, _RE),
                    ("name", "a", "b", _UP, _UP),
                    ("description", "", "b", _UP, _UP),
                    ("enabled", True, False, _UP, _RE),
                ),
            ),
            (
                "Pool",
                _HTTP,
                (
                    ("listener", "a", "b", _RE, _RE),
                    ("balancer", "a", "b", _RE, _RE),
                    ("protocol", "HTTP", "PROXY", _RE, _RE),
                    ("algorithm", "ROUND_ROBIN", "LEAST_CONNECTIONS", _UP, _RE),
                    ("persistence", None, {"type": "SOURCE_IP"}, _UP, _RE),
                    ("tls", False, True, _UP, _RE),
                    ("name", "a", "b", _UP, _UP),
                    ("description", "", "b", _UP, _UP),
                    ("enabled", True, False, _UP, _RE),
                ),
            ),
            (
                "PoolMember",
                _MEMBER,
                (
                    ("pool", "p", "q", _RE, _RE),
                    ("address", "10.0.0.9", "10.0.0.8", _RE, _RE),
                    ("port", 80, 81, _RE, _RE),
                    ("weight", 1, 2, _UP, _RE),
                    ("subnet", None, "s", _RE, _RE),
                    ("monitor_address", None, "10.0.0.8", _RE, _RE),
                    ("monitor_port", None, 81, _RE, _RE),
                    ("backup", False, True, _RE, _RE),
                    ("enabled", True, False, _UP, _RE),
                ),
            ),
            (
                "HealthMonitor",
                _MONITOR,
                (
                    ("pool", "p", "q", _RE, _RE),
                    ("type", "HTTP", "TCP", _RE, _RE),
                    ("delay", 5, 6, _UP, _RE),
                    ("timeout", 3, 4, _UP, _RE),
                    ("retries", 2, 3, _UP, _RE),
                    ("failures", 3, 4, _UP, _RE),
                    ("path", "/", "/a", _UP, _RE),
                    ("method", "GET", "HEAD", _UP, _RE),
                    ("codes", "200", "204", _UP, _RE),
                    ("enabled", True, False, _UP, _RE),
                ),
            ),
        )
        for name, before, after, willing, unable in changes_of
    )
]
