"""The parts of a running bot that the plugin is made of, put together once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from nonebot.adapters import Bot

from ..config import ScopedConfig
from ..content.reencoding.fitting import limit
from ..event_images import EventImages
from ..fetch.fetcher import Fetcher
from ..implementation.implementations import Implementations
from ..messages.arrivals import Arrivals
from ..pipeline.pipeline import Pipeline
from ..resolver import ImageResolver
from ..serving.links import Links
from ..serving.own_server.server import OwnServer
from ..store.image_store import ImageStore
from ..store.shared.opening import opened

_MEMORY_SIZE = 16 * 1024 * 1024
"""Bytes of images kept in memory."""


@dataclass(frozen=True)
class Services:
    """What everything in this room works with."""

    config: ScopedConfig
    """The settings."""
    store: ImageStore
    """Where images are kept."""
    implementations: Implementations
    """The implementations behind the connected bots."""
    pipeline: Pipeline
    """Gets images, and keeps them."""
    links: Links
    """Makes URLs of images, and opens them."""
    own_server: OwnServer
    """Serves them, and other pages."""
    arrivals: Arrivals
    """When messages arrived."""
    resolver: ImageResolver
    """What plugin authors get."""

    @classmethod
    def of(
        cls,
        config: ScopedConfig,
        store: ImageStore,
        fetcher: Fetcher,
        bots: Callable[[], Mapping[str, Bot]],
    ) -> "Services":
        """Put the parts together; nothing is opened or started yet.

        Args:
            config: the settings.
            store: where images are kept.
            fetcher: gets those that are not there.
            bots: gives the connected bots by their id.

        Raises:
            ValueError: a setting cannot be used; the message names it.
        """
        limit(config.max_decoded_pixels)
        implementations = Implementations(bots, config.frame_limit or None)
        pipeline = Pipeline(config, store, fetcher, implementations)
        links = Links(config)
        own_server = OwnServer(config, pipeline, links)
        arrivals = Arrivals()
        pipeline.gather_by(arrivals.catch_up)
        events = EventImages(pipeline, implementations, arrivals, config.get_image_timeout)
        resolver = ImageResolver(pipeline, links, implementations, events)
        return cls(config, store, implementations, pipeline, links, own_server, arrivals, resolver)


def make_services(
    config: ScopedConfig, folder: Path, bots: Callable[[], Mapping[str, Bot]]
) -> Services:
    """The parts as the settings want them; nothing is opened or started yet.

    Args:
        config: the settings.
        folder: where the store lives.
        bots: gives the connected bots by their id.

    Raises:
        ValueError: a setting cannot be used; the message names it.
    """
    store = ImageStore(
        folder,
        max_size=config.max_store_size,
        max_age=config.max_age,
        remember_sightings=config.sightings,
        memory_size=_MEMORY_SIZE,
        shared=opened(config.shared_store),
        max_shared_size=config.shared_max_size,
    )
    return Services.of(config, store, Fetcher(config), bots)
