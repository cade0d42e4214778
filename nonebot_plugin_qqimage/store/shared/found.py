"""What the shared store finds: the best image for a reference, with its bytes, verified."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...content.info import ImageInfo
from ...language import say
from ...log import logger
from ...messages.reference import ImageReference
from ..local.meaning import best
from .shared import Shared, There
from .verifying import Damaged, verified


@dataclass(frozen=True)
class Found:
    """An image that the shared store has brought, verified."""

    info: ImageInfo
    data: bytes
    by_name: bool
    """Whether it is meant by a name, and not by a digest."""


async def bring(
    shared: Shared,
    reference: ImageReference,
    there: Sequence[There],
    *,
    binding: bool,
) -> Found | None:
    """Get the best of the images that a reference may mean; one that is damaged is removed there.

    Args:
        shared: the shared store.
        reference: the reference.
        there: what the shared store has found.
        binding: whether links have proven to tell the truth.

    Raises:
        Unreachable: the shared store does not answer.
        Refused: it refuses.
    """
    info = best(reference, [(each.info, each.how) for each in there], binding=binding)
    if info is None:
        return None
    meant = next(each for each in there if each.info is info)
    data = meant.data or await shared.fetch(info.sha256)
    if data is None:
        return None
    try:
        right = await verified(info, data)
    except Damaged:
        logger.warning(
            say(
                "qqimage: the shared store: image {sha256} is damaged there, and is removed",
                sha256=info.sha256,
            )
        )
        await shared.drop(info.sha256)
        return None
    if right is None:
        return None
    return Found(right, data, meant.how != "digest")
