"""Who is counted as one, and how many are let in."""

from __future__ import annotations

import pytest

from terrace.api.edge.crowd import Crowd, source_of


def test_there_is_room_for_so_many_in_all_and_for_so_many_from_one_place() -> None:
    crowd = Crowd(3, 2)
    assert [crowd.enter(source) for source in "aaabc"] == [True, True, False, True, False]
    crowd.leave("a")
    assert crowd.inside == 2
    assert crowd.enter("c")
    assert not crowd.enter("a")
    for source in "abc":
        crowd.leave(source)
    assert crowd.inside == 0


@pytest.mark.parametrize(
    ("host", "source"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_an_ipv6_network_is_one_source(host: str, source: str) -> None:
    assert source_of(host) == source
