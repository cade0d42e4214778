"""Sightings of all hosts: each once, in the order of their arrival."""

from collections.abc import Iterable
from dataclasses import replace

from ...messages.sighting import Sighting
from ..local.sightings.rows import place_of


def merged(here: Iterable[Sighting], there: Iterable[Sighting], *, ahead: float) -> list[Sighting]:
    """The sightings of this host and of the shared store, the latest first.

    Args:
        here: those of this host, by this machine's clock; some may not have been sent yet.
        there: those of the shared store, in its order.
        ahead: seconds by which the shared store's clock is ahead of this machine's.
    """
    local = {_identity(each): replace(each, arrived=each.arrived + ahead) for each in here}
    every = {**local, **{_identity(each): each for each in there}}
    # sorted() keeps the order of those that arrived at one moment, which the store has given
    return sorted(every.values(), key=lambda each: each.arrived, reverse=True)


def _identity(sighting: Sighting) -> tuple[object, ...]:
    reference = sighting.reference
    return *place_of(reference), reference.position, sighting.chat, reference.key, sighting.time
