"""Whether a folder outlives its container, from what kernels tell in such places."""

from __future__ import annotations

from pathlib import Path

import pytest

from iwrouting.management.doctor.mounts import fleeting, is_container, mount_of, read_mounts

HOST = r"""
22 28 0:20 / /sys rw,nosuid shared:7 - sysfs sysfs rw
28 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 28 0:25 / /run rw,nosuid shared:9 - tmpfs tmpfs rw,size=4g
41 28 8:17 / /srv/my\040data rw,relatime shared:20 - xfs /dev/sdb1 rw
"""
DOCKER = """
511 370 0:45 / / rw,relatime - overlay overlay rw,lowerdir=/a,upperdir=/b,workdir=/c
514 511 0:48 / /dev rw,nosuid - tmpfs tmpfs rw,size=65536k
530 511 8:1 /var/lib/docker/volumes/iw/_data /var/lib/iwrouting rw,relatime - ext4 /dev/sda1 rw
531 511 0:60 / /run/scratch rw - tmpfs tmpfs rw
"""
POD = """
900 800 0:90 / / rw,relatime - overlay overlay rw
901 900 8:1 /var/lib/kubelet/pods/1f/volumes/kubernetes.io~empty-dir/scratch /scratch rw,relatime - ext4 /dev/sda1 rw
902 900 259:3 / /data rw,relatime - ext4 /dev/nvme1n1 rw
"""
FLAT = "700 600 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
"""A container whose image was unpacked onto a disk of its own, as micro machines have it."""


@pytest.mark.parametrize(
    ("mounts", "folder", "in_container", "said"),
    [
        (HOST, "/opt/iwrouting/var/journal", False, ""),
        (HOST, "/srv/my data/journal", False, ""),
        (HOST, "/run/journal", False, "in memory"),
        (DOCKER, "/app/var/journal", True, "gone with the container"),
        (DOCKER, "/var/lib/iwrouting-other", True, "gone with the container"),
        (DOCKER, "/var/lib/iwrouting/journal", True, ""),
        (DOCKER, "/var/lib/iwrouting", True, ""),
        (DOCKER, "/run/scratch/journal", True, "in memory"),
        (POD, "/scratch/journal", True, "gone with its pod"),
        (POD, "/data/journal", True, ""),
        (POD, "/app/var", True, "gone with the container"),
        (FLAT, "/app/var/journal", True, "gone with the container"),
        (FLAT, "/app/var/journal", False, ""),
        ("", "/app/var/journal", True, ""),
        ("nonsense\n1 2 - \n1 2 3 - x\n", "/app", True, ""),
    ],
)
def test_a_folder__lasts_or_does_not(mounts: str, folder: str, in_container: bool, said: str) -> None:
    found = fleeting(folder, read_mounts(mounts), in_container=in_container)
    assert (said in found, bool(found)) == (True, bool(said))


def test_of_two_mounts_in_one_place__the_later_hides_the_earlier() -> None:
    mounts = read_mounts("1 0 8:1 / /data rw - ext4 /dev/a rw\n2 0 0:5 / /data rw - tmpfs tmpfs rw\n")
    found = mount_of("/data/x", mounts)
    assert found is not None
    assert found.kind == "tmpfs"
    assert mount_of("relative", mounts) is None


@pytest.mark.parametrize(
    ("group", "found"),
    [
        ("0::/\n", False),
        ("0::/user.slice/user-1000.slice\n", False),
        ("12:cpu:/docker/1f2e\n", True),
        ("0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-1.scope\n", True),
    ],
)
def test_a_container__is_known_by_its_control_group(tmp_path: Path, group: str, found: bool) -> None:
    file = tmp_path / "cgroup"
    file.write_text(group)
    assert is_container((), file) is found


def test_a_container__is_known_by_its_mark(tmp_path: Path) -> None:
    mark = tmp_path / ".dockerenv"
    assert not is_container((mark,), tmp_path / "none")
    mark.touch()
    assert is_container((mark,), tmp_path / "none")
