"""Metrics for Prometheus, where its client is installed anyway, as with nonebot-plugin-prometheus.

They are in the client's own registry, which whoever shows metrics reads. It is never imported where
it is not installed, and nothing is measured then.
"""

from functools import cache
from importlib.util import find_spec

import anyio.to_thread

from ..services import Services
from .task import BackgroundTask

_INTERVAL = 15.0
"""Seconds after which sizes are looked up; Prometheus usually asks as often."""
_DELAY = 5.0
"""Seconds after the start: importing the client takes processor time that the bot needs then."""
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 60)
_BYTES = tuple(10_000 * 4**power for power in range(7))


class Metrics:
    """The metrics of this process."""

    def __init__(self) -> None:
        from prometheus_client import Counter, Gauge, Histogram

        self.resolved: Counter = Counter(
            "qqimage_resolved", "Images that were wanted and came, by where from", ["source"]
        )
        self.failed: Counter = Counter(
            "qqimage_failed", "Images that were wanted and did not come, by cause", ["cause"]
        )
        self.seconds: Histogram = Histogram(
            "qqimage_fetch_seconds", "Seconds from the beginning to the bytes", buckets=_SECONDS
        )
        self.bytes: Histogram = Histogram(
            "qqimage_fetch_bytes", "Bytes of images that were fetched", buckets=_BYTES
        )
        self.store_images: Gauge = Gauge("qqimage_store_images", "Images in the store")
        self.store_bytes: Gauge = Gauge("qqimage_store_bytes", "Bytes of the images in the store")
        self.queue: Gauge = Gauge(
            "qqimage_queue", "Images that are being fetched, or wait for that", ["state"]
        )
        self.outbox: Gauge = Gauge(
            "qqimage_outbox", "Entries that wait to be sent to the shared store"
        )

    def counted(self, kind: str, what: str) -> None:
        """Something was counted in the store."""
        if kind == "resolved":
            self.resolved.labels(what).inc()
        elif kind == "failed":
            self.failed.labels(str(getattr(what, "value", what))).inc()

    def fetched(self, seconds: float, size: int) -> None:
        """An image was fetched."""
        self.seconds.observe(seconds)
        self.bytes.observe(size)


def metrics_task(services: Services) -> BackgroundTask | None:
    """What measures; None where Prometheus's client is not installed.

    Args:
        services: of the bot.
    """
    if find_spec("prometheus_client") is None:
        return None

    async def work() -> float:
        metrics = await anyio.to_thread.run_sync(_metrics)
        services.store.catalog.watch(metrics.counted)
        services.pipeline.watch = metrics.fetched
        totals = await services.store.totals()
        metrics.store_images.set(totals.images)
        metrics.store_bytes.set(totals.bytes)
        under_way, waiting = services.pipeline.queue
        metrics.queue.labels("under way").set(under_way)
        metrics.queue.labels("waiting").set(waiting)
        if services.store.tier is not None:
            metrics.outbox.set(sum((await services.store.catalog.outbox()).values()))
        return _INTERVAL

    return BackgroundTask("metrics", work, after_trouble=_INTERVAL, delay=_DELAY)


@cache
def _metrics() -> Metrics:
    """Those of this process: the client takes each name once."""
    return Metrics()
