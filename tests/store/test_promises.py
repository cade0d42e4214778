"""The attacks on the store, shortened; ``python -m tests.promises`` runs them in full."""

import pytest

from ..promises.__main__ import ATTACKS, run


@pytest.mark.parametrize("attack", ATTACKS)
async def test_the_store_withstands(attack: str) -> None:
    for line in await run(attack, quick=True):
        assert line.held, f"{line.promise}: {line.attack}: {line.figures}"
