"""Names for projects that nobody named: two words that one can say on the telephone."""

from __future__ import annotations

_QUALITIES = """
amber ample brave bright brisk calm clear clever cosy crisp dapper eager early fair fleet fond gentle glad golden grand
green hardy honest jolly keen kind lively lofty loyal lucid merry mellow mild misty modest neat nimble noble open
patient plain polite prime proud quick quiet ready rosy sharp silver smart snowy sober solid spry steady sunny swift
tidy true upbeat vivid warm witty
"""
_PLACES = """
acre alley arbor bay beach bend bluff bridge brook canal cape cliff coast cove creek dale delta dune falls field fjord
ford forest garden glade glen grove gulf harbor haven heath hill hollow inlet island isle lagoon lake lane ledge marsh
meadow mesa mill moor oasis orchard pass path peak pier plain pond port prairie reef ridge river shore spring summit
terrace trail valley
"""
QUALITIES, PLACES = _QUALITIES.split(), _PLACES.split()


def friendly(entropy: bytes) -> str:
    """A name such as "sunny-harbor" from two unpredictable bytes; with a number from a third."""
    name = f"{QUALITIES[entropy[0] % len(QUALITIES)]}-{PLACES[entropy[1] % len(PLACES)]}"
    return f"{name}-{entropy[2]}" if len(entropy) > 2 else name
