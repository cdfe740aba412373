"""Whether a folder outlives the process's container: what is mounted there, as the kernel tells it. Pure but `read`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MOUNTINFO = Path("/proc/self/mountinfo")
CONTAINER_MARKS = (Path("/.dockerenv"), Path("/run/.containerenv"))
CONTAINER_GROUP = re.compile(r"docker|kubepods|containerd|libpod|lxc", re.IGNORECASE)
IN_MEMORY = ("tmpfs", "ramfs")
LAYERED = ("overlay", "aufs", "fuse-overlayfs")
FLEETING_VOLUME = "kubernetes.io~empty-dir"
ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """A mounted file system: where, of what kind, and which part of it."""

    point: str
    kind: str
    root: str


def read_mounts(text: str) -> list[Mount]:
    """What /proc/self/mountinfo tells (proc(5)), in its order; lines of another form are left out."""
    found = []
    for line in text.splitlines():
        own, dash, other = line.partition(" - ")
        fields = own.split()
        if dash and len(fields) >= 6 and other.split():
            found.append(Mount(_plain(fields[4]), other.split()[0], _plain(fields[3])))
    return found


def mount_of(folder: str, mounts: list[Mount]) -> Mount | None:
    """The mount on which a folder stands: the deepest above it, of several in one place the last."""
    parents = {str(parent) for parent in (PurePosixPath(folder), *PurePosixPath(folder).parents)}
    above = [mount for mount in mounts if mount.point in parents]
    return max(enumerate(above), key=lambda each: (len(each[1].point), each[0]), default=(0, None))[1]


def fleeting(folder: str, mounts: list[Mount], *, in_container: bool) -> str:
    """Why what stands in a folder would be gone with the machine's memory or the container; empty where it lasts."""
    mount = mount_of(folder, mounts)
    if mount is None:
        return ""
    if mount.kind in IN_MEMORY:
        return f"{mount.point} is {mount.kind}: it is in memory, and gone after a restart of the machine or container"
    if FLEETING_VOLUME in mount.root:
        return f"{mount.point} is an emptyDir volume: it is gone with its pod"
    if mount.kind in LAYERED or (in_container and mount.point == "/"):
        return f"it stands on the container's own file system ({mount.kind}), which is gone with the container"
    return ""


def is_container(marks: tuple[Path, ...] = CONTAINER_MARKS, group: Path = Path("/proc/1/cgroup")) -> bool:
    """Whether this process runs in a container, as far as it can be seen from inside."""
    if any(mark.exists() for mark in marks):
        return True
    try:
        return bool(CONTAINER_GROUP.search(group.read_text()))
    except OSError:
        return False


def why_fleeting(folder: Path) -> str:
    """The same of a folder of this machine, which need not exist yet; empty too where the kernel does not tell."""
    try:
        mounts = read_mounts(MOUNTINFO.read_text(errors="replace"))
    except OSError:
        return ""
    return fleeting(str(folder.resolve()), mounts, in_container=is_container())


def _plain(text: str) -> str:
    return ESCAPED.sub(lambda match: chr(int(match[1], 8)), text)
