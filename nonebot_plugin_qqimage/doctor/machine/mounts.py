"""Whether the store's folder lies on a network drive, where several machines would damage it."""

import os
from pathlib import Path

from ...fetch.files.mounts import mounted
from ...language import Text
from ..line import Line

_NETWORK = {
    *("nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "afs", "ceph", "glusterfs", "lustre"),
    *("9p", "ncpfs", "fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.rclone", "fuse.s3fs"),
    *("fuse.davfs2", "davfs", "beegfs", "ocfs2", "gfs2", "orangefs"),
}
"""Types of file systems that several machines can mount at once."""


def about_mount(folder: Path) -> list[Line]:
    """A warning where the folder is on a network drive; nothing elsewhere, or where Linux is not.

    Blocks.
    """
    kinds, real = mounted(), Path(os.path.realpath(folder))
    kind = next((kinds[str(up)] for up in (real, *real.parents) if str(up) in kinds), "")
    if kind not in _NETWORK:
        return []
    text = Text("the folder is on a network drive ({kind})", kind=kind)
    cure = Text(
        "keep it on a disk of this machine: SQLite's index is damaged where two machines use it "
        "(https://sqlite.org/wal.html); for bots on many hosts there is QQIMAGE__SHARED_STORE"
    )
    return [Line("warning", Text("store"), text, cure)]
