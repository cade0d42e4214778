"""Metrics for Prometheus: what is counted, and that nothing is without its client."""

from typing import Any

import pytest
from prometheus_client import REGISTRY

from nonebot_plugin_qqimage.bot.background import metrics
from nonebot_plugin_qqimage.bot.background.metrics import metrics_task
from nonebot_plugin_qqimage.bot.services import Services
from nonebot_plugin_qqimage.messages.reference import ImageReference

from ..world import PICTURE, make, services, world  # noqa: F401  fixtures


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_what_is_counted(services: Services) -> None:  # noqa: F811
    task = metrics_task(services)
    assert task is not None
    await task._once()
    before = {
        name: value(name) for name in ("qqimage_fetch_seconds_count", "qqimage_fetch_bytes_sum")
    }
    failed = value("qqimage_failed_total", cause="expired")
    resolved = value("qqimage_resolved_total", source="url of the segment")
    good = ImageReference(self_id="1", message_id="1", url="good")
    arrival = await services.pipeline.resolve(good)
    await services.pipeline.stored(arrival)
    with pytest.raises(Exception, match="expired"):
        await services.pipeline.resolve(ImageReference(self_id="1", message_id="2", url="dead"))
    assert value("qqimage_resolved_total", source="url of the segment") == resolved + 1
    assert value("qqimage_failed_total", cause="expired") == failed + 1
    assert value("qqimage_fetch_seconds_count") == before["qqimage_fetch_seconds_count"] + 1
    size = before["qqimage_fetch_bytes_sum"] + len(PICTURE.data)
    assert value("qqimage_fetch_bytes_sum") == size
    stored = value("qqimage_resolved_total", source="store")
    await services.pipeline.resolve(good)
    assert value("qqimage_resolved_total", source="store") == stored + 1
    await task._once()
    assert value("qqimage_store_images") == 1
    assert value("qqimage_store_bytes") == len(PICTURE.data)
    assert value("qqimage_queue", state="waiting") == 0
    assert REGISTRY.get_sample_value("qqimage_outbox") == 0


def test_nothing_without_the_client(
    services: Services,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def find(name: str, *_: Any) -> None:
        return None

    monkeypatch.setattr(metrics, "find_spec", find)
    assert metrics_task(services) is None
