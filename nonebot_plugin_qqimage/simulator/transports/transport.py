"""What all ways between an implementation and a bot have in common: they open and close."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from ..implementation import SimulatedImplementation

if TYPE_CHECKING:
    from typing_extensions import Self


class Transport(ABC):
    """A way between an implementation and a bot; use it as an async context manager.

    Args:
        implementation: whose it is. It closes and opens it when it restarts.
    """

    def __init__(self, implementation: SimulatedImplementation) -> None:
        self._implementation = implementation

    @abstractmethod
    async def start(self) -> None:
        """Open it, also once more."""

    @abstractmethod
    async def stop(self) -> None:
        """Close it and all its connections."""

    async def __aenter__(self) -> "Self":
        await self.start()
        self._implementation.transports.append(self)
        return self

    async def __aexit__(self, *exception: object) -> None:
        self._implementation.transports.remove(self)
        await self.stop()
