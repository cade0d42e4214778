"""Wants each picture, and tells how many it did not get once there were as many as expected."""

import os

from nonebot import get_plugin_config, on_message, require
from nonebot.log import logger
from pydantic import BaseModel

require("nonebot_plugin_qqimage")
from nonebot_plugin_qqimage import Images, ImageUnavailable  # noqa: E402


class Config(BaseModel):
    expected: int


expected = get_plugin_config(Config).expected
outcomes: list[bool] = []
logger.info(f"process {os.getpid()}.")


@on_message().handle()
async def _(images: Images) -> None:
    for image in images:
        try:
            await image
            outcomes.append(True)
        except ImageUnavailable:
            outcomes.append(False)
        if len(outcomes) == expected:
            logger.info(f"failed: {outcomes.count(False)}.")
