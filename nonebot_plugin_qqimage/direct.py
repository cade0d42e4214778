"""Calling an event preprocessor directly, without dependency injection."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from nonebot import message
from nonebot.adapters import Event
from nonebot.dependencies import Dependent

Hook = Callable[[Event], Awaitable[None]]


class _Direct(Dependent[Any]):
    """A preprocessor that is given the event, and nothing else.

    To find the arguments of any other, NoneBot starts two groups of tasks for each event: a fifth
    of all that it does for one (`tests/benchmarks/events.py`).
    """

    async def __call__(self, **given: Any) -> Any:
        event = given.get("event")
        if isinstance(event, Event):
            return await cast(Hook, self.call)(event)
        return await super().__call__(**given)  # whatever a later NoneBot gives


def call_directly(hook: Hook) -> None:
    """Have a registered event preprocessor called directly.

    NoneBot has no public way to. Where it keeps its preprocessors elsewhere, or in another form,
    everything stays as it is.
    """
    registered = vars(message).get("_event_preprocessors")
    if not isinstance(registered, set):
        return
    hooks = cast(set[Dependent[Any]], registered)
    for each in list(hooks):
        if getattr(each, "call", None) != hook:
            continue
        try:
            direct = _Direct(each.call, each.params, each.parameterless)
        except (AttributeError, TypeError):
            return
        hooks.discard(each)
        hooks.add(direct)
