"""Pictures whose outcome a test has decided: they need no call, no link, and no network."""

from collections.abc import Callable

from nonebot.adapters.onebot.v11 import MessageSegment

from ..config import ScopedConfig
from ..content.inspection import inspect_within
from ..errors import Attempt, Cause
from ..fetch.fetcher import Fetched, Fetcher
from ..fetch.reservation import Reservation
from ..implementation.implementation import Implementation
from ..messages.names.file_id import file_id_of
from ..messages.reference import ImageReference
from ..simulator.image_host.fileid import new_fileid
from ..simulator.pictures import png, qq_name

Outcome = tuple[Fetched | None, tuple[Attempt, ...]]
"""The image, or why it cannot be had."""
_LINK = "https://multimedia.nt.qq.com.cn/download?appid=1407&fileid={fileid}&spec=0&rkey=CAQSKA"
_BY_LINK = "url of the segment"
_ASKED = {
    Cause.NOT_FOUND: "get_image",
    Cause.UNREADABLE: "file in the answer",
    Cause.SKIPPED: "get_image",
    Cause.UNSUPPORTED: "get_image",
    Cause.BUSY: "resolver",
    Cause.FORGOTTEN: "store",
}
"""The sources that fail so, where it is not the link."""


class PlannedFetcher(Fetcher):
    """Lets planned pictures come or fail as the test wants it, and fetches all others for real.

    Args:
        config: the settings.
    """

    def __init__(self, config: ScopedConfig) -> None:
        super().__init__(config)
        self._limits = config
        self._planned: dict[str, Outcome] = {}
        self._count = 0

    async def fetch(
        self,
        reference: ImageReference,
        find_implementation: Callable[[], Implementation | None],
        reservation: Reservation,
        binding: bool = False,
    ) -> Outcome:
        """The planned outcome, or else that of the sources: see `Fetcher.fetch`."""
        name = reference.link.name if reference.link else "" if reference.url else reference.file
        planned = self._planned.get(name)
        if planned is not None:
            return planned
        return await super().fetch(reference, find_implementation, reservation, binding)

    def picture(self, data: bytes | None) -> MessageSegment:
        """A segment of a picture that can be had.

        Args:
            data: its bytes; by default those of a PNG that no other segment has.

        Raises:
            AttemptFailed: the settings do not allow such a picture, or it is none.
        """
        data = self._new_png() if data is None else data
        info = inspect_within(self._limits, data)
        return self._segment(data, (Fetched(info, data, _BY_LINK), ()))

    def failing(self, cause: Cause, detail: str) -> MessageSegment:
        """A segment of a picture that cannot be had.

        Args:
            cause: why.
            detail: what exactly happened.
        """
        attempt = Attempt(_ASKED.get(cause, _BY_LINK), cause, detail, 0.0)
        return self._segment(self._new_png(), (None, (attempt,)))

    def _segment(self, data: bytes, outcome: Outcome) -> MessageSegment:
        file, url, size = qq_name(data), _LINK.format(fileid=new_fileid(data)), str(len(data))
        link = file_id_of(url)
        self._planned[file] = self._planned[link.name if link else ""] = outcome
        fields = {"summary": "", "file": file, "sub_type": 0, "url": url, "file_size": size}
        return MessageSegment("image", fields)

    def _new_png(self) -> bytes:
        self._count += 1
        return png(32, 20, seed=-self._count)
