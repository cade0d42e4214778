"""Pillow (the extra ``vision``), imported when needed; what it raises is put into our words."""

import contextlib
import importlib
import warnings
from collections.abc import Generator

from ...errors import AttemptFailed, Cause, MissingExtra
from ...language import Text
from ..info import ImageInfo


@contextlib.contextmanager
def pillow(info: ImageInfo) -> Generator[None, None, None]:
    """Let Pillow work on a picture within this, without its warnings.

    It has to be in one thread, for warnings can only be silenced for the whole process.

    Args:
        info: the facts about the picture.

    Raises:
        AttemptFailed: Pillow cannot read it.
        MissingExtra: Pillow is not installed.
    """
    try:
        importlib.import_module("PIL.Image")
    except ImportError as error:
        text = Text(
            "this needs Pillow, which is not installed: "
            'pip install "nonebot-plugin-qqimage[vision]"'
        )
        raise MissingExtra(text) from error
    with failures_in_words(info), warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield


@contextlib.contextmanager
def failures_in_words(info: ImageInfo) -> Generator[None, None, None]:
    """Raise `AttemptFailed` for whatever hostile bytes make Pillow raise within this.

    Args:
        info: the facts about the picture.
    """
    try:
        yield
    except AttemptFailed:
        raise
    except Exception as error:
        detail = Text("Pillow cannot read this {mime}: {error}", mime=info.mime, error=repr(error))
        raise AttemptFailed(Cause.FAILED, detail) from error
