"""Every setting, with its unit. All are optional: the plugin works with none of them set."""

from typing import Literal

from pydantic import BaseModel, Field


class ScopedConfig(BaseModel):
    """The settings behind the prefix ``QQIMAGE__``."""

    prefetch: bool = True
    """Resolve images as messages arrive, not only when someone asks for them."""

    own_images: bool = True
    """Keep the images that this bot's account sends."""

    get_image_timeout: float = Field(default=15, gt=0)
    """Seconds for one call of the implementation's ``get_image``."""

    download_timeout: float = Field(default=20, gt=0)
    """Seconds for one download."""

    resolve_timeout: float = Field(default=60, gt=0)
    """Seconds for everything about one image, from the moment its turn has come."""

    max_image_size: int = Field(default=32 * 1024 * 1024, gt=0)
    """Bytes of one image; larger ones are refused."""

    max_pixels: int = Field(default=100_000_000, gt=0)
    """Pixels of one frame; larger ones are refused."""

    max_frames: int = Field(default=10_000, gt=0)
    """Frames of one animation; longer ones are refused."""

    max_decoded_pixels: int = Field(default=52_000_000, gt=0)
    """Pixels of one frame decoded to re-encode an image; larger ones are not re-encoded."""

    concurrency: int = Field(default=48, gt=0)
    """Images being fetched at once."""

    max_bytes_in_flight: int = Field(default=128 * 1024 * 1024, gt=0)
    """Bytes held by unfinished fetches."""

    path_map: dict[str, str] = {}
    """The implementation's path prefix → the same folder as this bot sees it (containers, WSL)."""

    mirrors: dict[str, str] = {}
    """Image host → base URL of a reverse proxy for it; path and query are kept."""

    proxy: str = ""
    """Proxy URL for downloads (``http://…``); empty for none."""

    trusted_hosts: list[str] = []
    """Hosts, addresses or networks that downloads may reach although they are private."""

    frame_limit: int = Field(default=0, ge=0)
    """Bytes of the largest answer the bot's connections survive; 0 for what the driver allows."""

    max_store_size: int = Field(default=4 * 1024 * 1024 * 1024, gt=0)
    """Bytes of all stored images; the least recently used are removed beyond it."""

    max_age: float = Field(default=30 * 24 * 3600, gt=0)
    """Seconds since its last use after which a stored image may be removed."""

    shared_store: str = ""
    """``postgresql://…`` of a store that bots on many hosts share; empty for none."""

    shared_max_size: int = Field(default=16 * 1024 * 1024 * 1024, gt=0)
    """Bytes of all images there; the least recently used over all hosts are removed beyond it."""

    sightings: bool = True
    """Remember where each image was seen: chat, user, message, time."""

    looks: bool = True
    """Hash stored pictures in the background, so that similar ones are found."""

    language: Literal["auto", "zh", "en"] = "auto"
    """The language of logs, hints, the command line and chat answers: by the locale, or this."""

    rewrite_url: bool | list[str | int] = False
    """Give plugins that know nothing of this one URLs that work: in all chats, or in these."""

    rewrite_exclude: list[str] = []
    """Names of plugins that get the original URLs all the same."""

    listen: str = ""
    """Where images are served: a host with or without a port; empty for this machine alone."""

    base_url: str = ""
    """How plugins of this bot reach what serves images; by default where that listens."""

    public_url: str = ""
    """How everybody else reaches it, if they do; used instead where it is set."""


class Config(BaseModel):
    """What NoneBot reads from ``.env``: one nested group."""

    qqimage: ScopedConfig = ScopedConfig()
    """The settings of this plugin."""
