"""Everything that the doctor can say in a running bot."""

import asyncio
from collections.abc import Iterable

from ...doctor.bots.implementations import about_implementation, known_of
from ...doctor.line import Line
from ...doctor.machine.network import reaches_hosts, speaks_tls
from ...doctor.machine.versions import about_versions, versions
from ...doctor.store.lately import about_last_hour, counted_lately
from ...doctor.store.storage import about_store
from ...implementation.implementation import Implementation
from ...language import Text
from ..services import Services


async def examine(services: Services, implementations: Iterable[Implementation]) -> list[Line]:
    """What can be said of this process and some of its implementations, within seconds.

    Args:
        services: of the bot.
        implementations: which are asked what they are, if need be.
    """
    config, found = services.config, await versions()
    tls, hosts, store = await asyncio.gather(
        speaks_tls(),
        reaches_hosts(config),
        about_store(services.store, config.max_store_size, deep=False),
    )
    about: list[Line] = []
    for implementation in implementations:
        await implementation.identify()
        about += about_implementation(known_of(implementation))
    hour = about_last_hour(**counted_lately(services.store))
    here = Line("ok", Text("versions"), about_versions(found))
    return [here, *about, hour, tls, *hosts, *store]
