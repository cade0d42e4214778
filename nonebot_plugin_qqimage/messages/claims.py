"""Whether content is the image that a reference means: what is known of it against what is claimed.

SHA-1 and size in QQ's link name what every QQ client downloads; a file name is chosen by the
sender's client. As long as nothing on this installation shows that links tell the truth, whatever
contradicts any claim is not the image. Once they have proven to, the link decides: it *binds*.
"""

from ..content.info import ImageInfo
from ..language import Text
from .names.file_id import is_at_qq
from .reference import ImageReference


def link_agrees(info: ImageInfo, reference: ImageReference) -> bool | None:
    """Whether content is what QQ's link says; None where the link says nothing that can be read."""
    link = reference.link
    if link is None or not link.sha1:
        return None
    return (info.sha1, info.size) == (link.sha1, link.size)


def fits(
    info: ImageInfo, reference: ImageReference, *, binding: bool, by_name: bool = False
) -> bool:
    """Whether content fits every claim that a reference makes.

    Args:
        info: the content; its SHA-1 must be known where the link says one.
        reference: the reference.
        binding: whether links have proven to tell the truth, so that nothing else counts.
        by_name: whether the content is known to be what one of `ImageReference.names` means, so
            that what its link says about it is no question any more.
    """
    if reference.sha256:
        return info.sha256 == reference.sha256
    agrees = None if by_name else link_agrees(info, reference)
    if agrees is False or (agrees and binding):
        return agrees
    return all(md5 == info.md5 for md5 in reference.md5s) and reference.size in (None, info.size)


def confirmed(info: ImageInfo, reference: ImageReference, *, binding: bool) -> bool:
    """Whether content fits every claim, and a digest of it is among them."""
    named = bool(reference.sha256 or reference.md5s or link_agrees(info, reference))
    return named and fits(info, reference, binding=binding)


def doubt(
    info: ImageInfo,
    reference: ImageReference,
    *,
    binding: bool,
    by_link: bool,
    by_name: bool = False,
) -> tuple[str, bool]:
    """Why fetched bytes are probably not the image that a reference means.

    Args:
        info: the bytes.
        reference: what the segment says.
        binding: whether links have proven to tell the truth.
        by_link: whether the bytes came by the segment's own link, which cannot be taken for
            another's, as a name can.
        by_name: whether an implementation looked the image up by its name: then it may be another
            one of that name, or of that message.

    Returns:
        The reason, empty where there is none; and whether the bytes may be taken all the same,
        when no source brings better ones.
    """
    if reference.sha256:
        same = info.sha256 == reference.sha256
        return ("" if same else Text("another image: {sha256}", sha256=info.sha256)), False
    agrees, md5_fits = link_agrees(info, reference), info.md5 in reference.md5s
    if agrees:
        return "", True
    of_several = by_name and not by_link and reference.one_of_several
    unnamed = not (reference.md5s or of_several)
    if agrees is False and (binding or not by_link):
        text = Text(
            "another image: its SHA-1 is {sha1}, where the link says another", sha1=info.sha1
        )
        return text, by_link or (not binding and (md5_fits or unnamed))
    if md5_fits and (by_link or reference.size in (None, info.size) or not reference.url):
        return "", True
    sizes = {reference.size, reference.link.size if agrees is False and reference.link else None}
    sizes.discard(None)
    if sizes and info.size not in sizes:
        text = Text(
            "another image: {size} bytes, where the segment says {declared}",
            size=info.size,
            declared=reference.expected_size,
        )
        return text, md5_fits or unnamed
    if by_link or not by_name or reference.file_id:
        # a name that is another MD5 is no reason: https://github.com/NapNeko/NapCatQQ/issues/458
        return "", True
    # implementations look images up by name, and give the newest one, or another of the message
    if (reference.md5s and reference.url) or (of_several and (reference.md5s or not sizes)):
        text = Text("another image, maybe of this message: its MD5 is {md5}", md5=info.md5)
        return text, bool(sizes) or not of_several
    if is_at_qq(reference.url):  # a link cannot be taken for another's
        return Text("maybe another image of this name, of which nothing more is said"), True
    return "", True
