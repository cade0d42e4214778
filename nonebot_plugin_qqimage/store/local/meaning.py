"""Which stored image a reference means. Every function blocks.

Digests and names that the reference claims are looked up first; whatever they find must fit every
claim. Where they find nothing, the place in the message may be known from when it was seen.
"""

from collections.abc import Callable, Sequence

from ...content.info import ImageInfo
from ...messages.claims import fits, link_agrees
from ...messages.reference import ImageReference
from . import images
from .sightings import sightings
from .sqlite.database import Connection

Complete = Callable[[ImageInfo], ImageInfo]
"""Gives the facts about an image with its SHA-1, which it reads from the file if need be."""


def meant_by(
    db: Connection, references: Sequence[ImageReference], *, binding: bool, complete: Complete
) -> list[ImageInfo | None]:
    """The stored image that each reference means.

    Args:
        db: the connection.
        references: at most `images.MOST_ASKED`.
        binding: whether links have proven to tell the truth about their content.
        complete: asked where a link says a SHA-1, for images that an earlier release has stored.
    """
    found = [
        best(reference, there, binding=binding, complete=complete)
        for reference, there in zip(references, images.candidates(db, references), strict=True)
    ]
    placed = [
        (number, reference)
        for number, reference in enumerate(references)
        if found[number] is None and reference.place
    ]
    if placed:
        digests = sightings.at_places(db, [reference for _, reference in placed])
        for (number, reference), sha256 in zip(placed, digests, strict=True):
            info = images.with_sha1(db, sha256) if sha256 else None
            if info is not None and not (binding and _contradicts(complete, info, reference)):
                found[number] = info
    return found


def best(
    reference: ImageReference,
    there: Sequence[tuple[ImageInfo, images.How]],
    *,
    binding: bool,
    complete: Complete = lambda info: info,
) -> ImageInfo | None:
    """The image that a reference means, of those that its digests and names have found.

    Args:
        reference: the reference.
        there: the images, each with how it was found.
        binding: whether links have proven to tell the truth about their content.
        complete: asked where a link says a SHA-1, for images whose SHA-1 may not be known.
    """
    found: ImageInfo | None = None
    for candidate, how in there:
        info = candidate if how == "name" else _completed(complete, candidate, reference)
        agrees = how != "name" and link_agrees(info, reference)
        if how == "place":  # these bytes were taken for this very segment
            right = not (binding and agrees is False)
        elif how == "name" and reference.link is None:
            right = True  # an id of a face or a file says all
        else:  # what a link as a whole is known to bring needs no digest of it
            right = fits(info, reference, binding=binding, by_name=how == "name")
        if right and (found is None or agrees):
            found = info
    return found


def _completed(complete: Complete, info: ImageInfo, reference: ImageReference) -> ImageInfo:
    says_sha1 = reference.link is not None and reference.link.sha1
    return complete(info) if says_sha1 else info


def _contradicts(complete: Complete, info: ImageInfo, reference: ImageReference) -> bool:
    return link_agrees(_completed(complete, info, reference), reference) is False
