"""How the files of a capture are kept: what the beamline file says, as a worker is told."""

from __future__ import annotations

from dataclasses import dataclass

from layouts.beamline import Detector
from layouts.beamline_pack import Pack
from layouts.beamline_storage import Durability, Storage
from layouts.raw.checksums import Checksum


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """What is done for the safety of files; without any of it unless said.

    Attributes:
        durability: When frames are on the disk itself.
        fsync_interval: Seconds between two fsyncs.
        checksum: Kept of every packed frame.
        floor: Bytes that must stay free while frames are stored.
        owner: Of new files, by name or number; empty leaves the writer's.
        group: Likewise.
        mode: Rights of new files, octal; empty leaves what the umask gives.
        pack: How frames are packed that come unpacked.
        pack_threads: How many of them at a time.
    """

    durability: Durability = Durability.PAGE_CACHE
    fsync_interval: float = 1.0
    checksum: Checksum = Checksum.NONE
    floor: int = 0
    owner: str = ""
    group: str = ""
    mode: str = ""
    pack: Pack = Pack.NONE
    pack_threads: int = 2


def keeping(storage: Storage, detector: Detector) -> Keeping:
    """What a beamline file says."""
    return Keeping(
        durability=storage.durability,
        fsync_interval=storage.fsync_interval,
        checksum=storage.checksum,
        floor=storage.reserve,
        owner=storage.owner,
        group=storage.group,
        mode=storage.mode,
        pack=detector.pack,
        pack_threads=detector.pack_threads,
    )
