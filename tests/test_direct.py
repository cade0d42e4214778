"""Event preprocessors that are called directly."""

from typing import Any

import pytest
from nonebot import message
from nonebot.adapters import Event
from nonebot.adapters.onebot.v11 import Bot, Message
from nonebot.dependencies import Dependent
from nonebot.message import event_preprocessor, handle_event
from nonebug import App

from nonebot_plugin_qqimage.direct import call_directly

from .test_params import message_event

Hooks = set[Dependent[Any]]


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> Hooks:
    """Those of a bot without any plugin."""
    hooks: Hooks = set()
    monkeypatch.setattr(message, "_event_preprocessors", hooks)
    return hooks


class Watcher:
    """Sees events."""

    def __init__(self) -> None:
        self.seen: list[object] = []

    async def see(self, event: Event) -> None:
        self.seen.append(event)


async def handled(app: App) -> Event:
    """An event that the bot has handled."""
    event = message_event(Message("hello"))
    async with app.test_api() as ctx:
        await handle_event(ctx.create_bot(base=Bot, self_id="10001"), event)
    return event


async def test_it_sees_every_event_as_before(app: App, hooks: Hooks) -> None:
    ours, theirs = Watcher(), Watcher()
    event_preprocessor(ours.see)
    event_preprocessor(theirs.see)
    (other,) = (hook for hook in hooks if hook.call == theirs.see)
    call_directly(ours.see)
    event = await handled(app)
    assert ours.seen == theirs.seen == [event]
    assert len(hooks) == 2
    assert other in hooks


async def test_what_is_no_event_is_left_to_nonebot(hooks: Hooks) -> None:
    async def answer() -> str:
        (hook,) = hooks
        try:
            await hook(event=object())
        except Exception as error:  # noqa: BLE001  whatever NoneBot raises
            return str(error)
        return "nothing"

    watcher = Watcher()
    event_preprocessor(watcher.see)
    before = await answer()
    call_directly(watcher.see)
    assert await answer() == before != "nothing"
    assert not watcher.seen


@pytest.mark.parametrize("kept", ["nowhere", "in a list", "in another form"])
async def test_where_nonebot_keeps_them_otherwise_all_stays_as_it_is(
    app: App, hooks: Hooks, monkeypatch: pytest.MonkeyPatch, kept: str
) -> None:
    class Other:
        call: object = None

    watcher = Watcher()
    event_preprocessor(watcher.see)
    (before,) = hooks
    with monkeypatch.context() as patch:
        if kept == "nowhere":
            patch.delattr(message, "_event_preprocessors")
        elif kept == "in a list":
            patch.setattr(message, "_event_preprocessors", [before])
        else:
            Other.call = watcher.see
            patch.setattr(message, "_event_preprocessors", {Other()})
        call_directly(watcher.see)
    assert hooks == {before}
    event = await handled(app)
    assert watcher.seen == [event]
