"""A motor as the EPICS motor record has it: settings, targets, and where it is in a motion.

Mirrors motorRecord.dbd of synApps motor. Four coordinates: the mechanism's, in which the profile and the
switches are; raw, steps as the controller counts them; dial, ``raw * MRES``; and user, ``dial * DIR + OFF``.
Readbacks are whole steps, as the record's are. Nothing here owns a clock or a PV. What a put does is in
sim/motor_puts.py, what follows when the drive has come to rest in sim/motor_sequence.py.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import IntFlag

from ioc.menus import NoYes, Spmg
from ioc.tables.motor_menus import StatusUpdate
from sim.motor_drive import Drive, Pace
from sim.motor_linkage import consistent
from sim.motor_settings import Settings, tidy


class Mip(IntFlag):
    """What is in progress: the bits of the record's MIP."""

    DONE = 0
    JOG_FORWARD = 0x1
    JOG_REVERSE = 0x2
    JOG_BACKLASH_AWAY = 0x4
    HOME_FORWARD = 0x8
    HOME_REVERSE = 0x10
    MOVE = 0x20
    RETRY = 0x40
    LOAD = 0x80
    BACKLASH = 0x100
    STOP = 0x200
    DELAY = 0x400
    JOG_WANTED = 0x1000
    JOG_STOP = 0x2000
    JOG_BACKLASH = 0x4000
    EXTERNAL = 0x8000

    JOG = JOG_FORWARD | JOG_REVERSE
    HOME = HOME_FORWARD | HOME_REVERSE
    JOG_END = JOG_STOP | JOG_BACKLASH_AWAY | JOG_BACKLASH


@dataclass(frozen=True, slots=True)
class Target:
    """Where to go, in the three coordinates of the record: VAL, DVAL and RVAL."""

    user: float
    dial: float
    raw: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Motor:
    """One motor.

    Attributes:
        drive: The controller and the mechanism.
        settings: What clients set.
        target: Where it shall be.
        last: The target that was acted on last; the record compares the two.
        mip: What is in progress.
        done: DMOV.
        post: PP: something is left to do when the drive has come to rest.
        commanded: Whether the drive will report its coming to rest.
        until: Time at which the delay of DLY ends.
        relative: RLV.
        tweak: 1 or -1 while TWF or TWR is to be done.
        buttons: Those of JOGF, JOGR, HOMF and HOMR that are pressed.
        stop: STOP, while it is to be done.
        sync: SYNC, while it is to be done.
        rescaled: Whether a resolution has changed and nothing has been made of it yet.
        spmg: SPMG.
        last_spmg: LSPG.
        tries: RCNT.
        missed: MISS.
        violated: LVIO.
        upwards: CDIR, the way it was told to go, raw.
        status: STUP.
        processed: How often the record has been processed.
    """

    drive: Drive
    settings: Settings
    target: Target
    last: Target
    mip: Mip = Mip.DONE
    done: bool = True
    post: bool = False
    commanded: bool = False
    until: float = math.inf
    relative: float = 0.0
    tweak: int = 0
    buttons: frozenset[str] = frozenset()
    stop: bool = False
    sync: bool = False
    rescaled: bool = False
    spmg: Spmg = Spmg.GO
    last_spmg: Spmg = Spmg.GO
    tries: int = 0
    missed: bool = False
    violated: bool = False
    upwards: bool = True
    status: StatusUpdate = StatusUpdate.OFF
    processed: int = 0

    @property
    def moving(self) -> bool:
        """Whether a motion is under way, settling and pausing included."""
        return not self.done

    @property
    def held(self) -> bool:
        """Whether SPMG lets nothing begin."""
        return self.spmg in (Spmg.STOP, Spmg.PAUSE)

    @property
    def due(self) -> float:
        """Time at which something happens by itself; infinite if nothing will."""
        return min(self.drive.profile.end if self.commanded else math.inf, self.until)

    @property
    def scale(self) -> float:
        """Length of the mechanism for a dial unit; 1 as long as MRES is what a step truly is."""
        return self.drive.step / self.settings.resolution

    @property
    def upright(self) -> bool:
        """Whether user and raw coordinates run the same way."""
        return (self.settings.sign > 0) == (self.settings.resolution > 0)

    def place(self, dial: float) -> float:
        """Where a dial position is in the mechanism's coordinates."""
        return self.drive.zero + dial * self.scale

    def dial_at(self, now: float) -> float:
        """Dial position at a time, without the rounding of a readback."""
        return (self.drive.profile.position(now) - self.drive.zero) / self.scale

    def counts(self, now: float) -> int:
        """RRBV: steps, or the encoder's counts where it is in use."""
        return nint(self.drive.raw(now))

    def dial_readback(self, now: float) -> float:
        """DRBV: whole steps."""
        s = self.settings
        step = s.encoder_resolution if s.use_encoder is NoYes.YES else s.resolution
        return tidy(self.counts(now) * step)

    def switches(self, now: float) -> tuple[bool, bool]:
        """Whether the low and the high limit switch are pressed, user coordinates."""
        below, above = self.drive.switches(now)
        return (below, above) if self.upright else (above, below)

    def blocked(self, now: float) -> bool:
        """Whether it stands at the limit switch that lies the way it was told to go."""
        below, above = self.drive.switches(now)
        return above if self.upwards else below

    def pace(self, velocity: float, acceleration: float) -> Pace:
        """How fast the mechanism goes at a velocity and acceleration in units.

        The record gives controllers at least one step per second more than the base speed.
        """
        scale, base = abs(self.scale), self.settings.velocity_base
        return Pace(max(velocity, base) * scale, acceleration * scale, base * scale)

    def aimed(self, user: float, dial: float) -> Target:
        """A target in the three coordinates."""
        return Target(user, dial, nint(dial / self.settings.resolution))

    def synchronised(self, now: float) -> Motor:
        """With the target where it is."""
        dial = self.dial_readback(now)
        target = self.aimed(self.settings.user(dial), dial)
        return replace(self, target=target, last=target)


def motor_at(drive: Drive, settings: Settings, now: float) -> Motor:
    """A motor at rest, as the record is after its boot."""
    origin = Target(0.0, 0.0, 0)
    motor = Motor(drive=drive, settings=consistent(settings), target=origin, last=origin)
    return motor.synchronised(now)


def nint(value: float) -> int:
    """The nearest whole number, halves away from zero, as the record rounds; 0 for what is none."""
    if not math.isfinite(value):
        return 0
    return math.floor(value + 0.5) if value > 0 else math.ceil(value - 0.5)
