"""Whether the store's folder lies on a network drive, where several machines would damage it."""

import os
from pathlib import Path

from ...language import Text
from ..line import Line

_MOUNTS = Path("/proc/self/mountinfo")
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
    kind = _kind_of(os.path.realpath(folder))
    if kind not in _NETWORK:
        return []
    text = Text("the folder is on a network drive ({kind})", kind=kind)
    cure = Text(
        "keep it on a disk of this machine: SQLite's index is damaged where two machines use it "
        "(https://sqlite.org/wal.html); for bots on many hosts there is QQIMAGE__SHARED_STORE"
    )
    return [Line("warning", Text("store"), text, cure)]


def _kind_of(folder: str) -> str:
    """The type of the file system that a folder is on; empty where nobody says."""
    found, longest = "", -1
    try:
        lines = _MOUNTS.read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    for line in lines:
        fields, _, behind = line.partition(" - ")
        # https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html
        point = fields.split(" ")[4].replace("\\040", " ")
        inside = folder == point or folder.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= longest:
            found, longest = behind.split(" ")[0], len(point)
    return found
