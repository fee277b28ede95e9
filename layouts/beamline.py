"""The beamline file: one description that simulator, writer, screens and tests share.

TOML on disk, pydantic in memory. Geometry is McStas throughout: z along the beam, y up, x to the left when
looking along the beam; lengths of motors in mm, angles in degrees, pixels of detectors in metres.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Self, cast

from pydantic import Field, ValidationError, field_validator, model_validator

from layouts.beamline_ca import ChannelAccess
from layouts.beamline_checks import cross_check
from layouts.beamline_pack import Pack
from layouts.beamline_storage import Storage
from layouts.detector_models import MODELS, DetectorModel
from layouts.strict import Strict as _Strict

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,31}$")]
Vector = tuple[float, float, float]
Positive = Annotated[float, Field(gt=0)]


class Preset(StrEnum):
    """Suffix sets of the PVs: ADCore's or Diamond's."""

    ADCORE = "adcore"
    DLS = "dls"


class MotorKind(StrEnum):
    """What a motor moves."""

    ROTATION = "rotation"
    TRANSLATION = "translation"
    ENERGY = "energy"
    ATTENUATOR = "attenuator"


class BeamlineError(ValueError):
    """A beamline file that cannot be used; says everything that is wrong with it.

    Attributes:
        source: Where the text came from.
        findings: One line each: key, what is wrong, what would be right.
    """

    def __init__(self, source: str, findings: list[str]) -> None:
        self.source = source
        self.findings = findings
        noun = "error" if len(findings) == 1 else "errors"
        super().__init__(f"{source}: {len(findings)} {noun}\n" + "\n".join(f"  {f}" for f in findings))


def _filled(values: Any, defaults: Callable[[str, dict[str, Any]], dict[str, Any]]) -> Any:
    """A table with what follows from its name filled in; anything else as it is, for pydantic to refuse."""
    if not isinstance(values, dict):
        return values
    given = cast("dict[str, Any]", values)
    return defaults(str(given["name"]), given) | given if "name" in given else given


class Motor(_Strict):
    """One motor, an axis of the sample stage, of a detector's stage, or of the optics."""

    name: Name
    pv: str = ""
    """Record name behind the prefix; MOT: and the name in capitals unless given."""
    kind: MotorKind
    units: str = ""
    """deg, mm, eV or nothing, by kind unless given."""
    vector: Vector = (0.0, 0.0, 0.0)
    """Measured direction of the axis, normalised on use; needed by rotations and translations."""
    depends_on: str = "."
    """The axis this one stands on; "." is the laboratory."""
    initial: float = 0.0
    low: float = 0.0
    """Soft limits; both 0 means none."""
    high: float = 0.0
    velocity: Positive = 1.0
    velocity_max: float = 0.0
    """0 means the velocity."""
    acceleration: Positive = 0.1
    """Seconds from rest to velocity, as the record's ACCL."""
    offset: float = 0.0
    resolution: Positive = 0.0001
    undershoot: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Part of its way by which every simulated move stops short, so that the record has to try again."""
    precision: Annotated[int, Field(ge=0, le=9)] = 4
    description: str = ""

    @model_validator(mode="before")
    @classmethod
    def _defaults(cls, values: Any) -> Any:
        units = {"rotation": "deg", "translation": "mm", "energy": "eV"}
        return _filled(
            values,
            lambda name, given: {
                "pv": f"MOT:{name}".upper(),
                "units": units.get(str(given.get("kind")), ""),
                "description": name,
            },
        )

    @property
    def is_axis(self) -> bool:
        """Whether the motor is part of a geometry chain."""
        return self.kind in (MotorKind.ROTATION, MotorKind.TRANSLATION)


class Stream(_Strict):
    """The detector's ZeroMQ stream."""

    version: Literal[1, 2] = 2
    endpoint: str = "tcp://127.0.0.1:31001"
    """Where the detector binds (PUSH) and the writer connects (PULL)."""
    header_detail: Literal["all", "basic", "none"] = "all"
    compression: Literal["bslz4", "lz4", "none"] = "bslz4"
    full_socket: Literal["drop", "wait"] = "drop"
    """What the simulator does when nobody takes its frames: drop and count, as the DCU, or wait."""

    @field_validator("endpoint")
    @classmethod
    def _tcp(cls, value: str) -> str:
        host, _, port = value.removeprefix("tcp://").rpartition(":")
        if not value.startswith("tcp://") or not host or not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError("a ZeroMQ TCP endpoint is right here, such as tcp://127.0.0.1:31001")
        return value


class Detector(_Strict):
    """One detector: model, place, stream and files."""

    name: Name
    pv: str = ""
    """Device name behind the prefix; the name unless given."""
    model: str
    serial_number: str = ""
    sensor_material: Literal["Si", "CdTe"] = "Si"
    sensor_thickness: Positive = 450e-6
    """Metres."""
    stage: str = "."
    """The axis the detector stands on."""
    beam_centre: tuple[float, float]
    """Pixel (fast, slow; from the outer corner of the first) that sits on the stage's origin."""
    fast: Vector = (-1.0, 0.0, 0.0)
    """Measured direction of the fast pixel axis with every rotation of the stage at zero."""
    slow: Vector = (0.0, -1.0, 0.0)
    stream: Stream = Stream()
    images_per_file: Annotated[int, Field(ge=0)] = 1000
    """Frames in one raw file; 0 puts all in one."""
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    """Processes that store the frames; more than one stand behind a fan, which deals frames to them."""
    frames_per_block: Annotated[int, Field(ge=1)] = 1
    """Frames in a row that go to one of several workers before the next has its turn."""
    storers: Annotated[str, Field(pattern=r"^(tcp://[^/]+:\d+)?$")] = ""
    """Where the fan binds for storers that others start, on any host; it starts them itself unless given."""
    pack: Pack = Pack.NONE
    """How the writer packs frames that come without compression, before it stores them: "none" stores them as
    they come, "bslz4" suits every reader, "bszstd" is smaller and slower, and needs a newer HDF5 plugin."""
    pack_threads: Annotated[int, Field(ge=1, le=64)] = 2
    """How many frames it packs at a time, a processor core each."""
    pixel_mask: Path | None = None
    """A .npy file (slow, fast) of Dectris mask bits; module gaps alone unless given."""
    count_rate_cutoff: Positive = 5.0e6
    """Counts per second and pixel above which the counter is saturated."""
    bad_pixels: Annotated[int, Field(ge=0)] = 60
    """How many dead or noisy pixels the simulated sensor has."""
    initial_count_time: Positive = 0.1
    initial_frame_time: Positive = 0.1

    @model_validator(mode="before")
    @classmethod
    def _defaults(cls, values: Any) -> Any:
        return _filled(values, lambda name, _given: {"pv": name, "serial_number": f"S-{name}"})

    @field_validator("model")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in MODELS:
            raise ValueError(f"not a known model; right is one of {', '.join(MODELS)}")
        return value

    @model_validator(mode="after")
    def _packs_alone(self) -> Self:
        if self.pack is not Pack.NONE and self.workers > 1:
            raise ValueError(f"pack {self.pack} needs workers = 1: storers store frames as they come")
        return self

    @property
    def spec(self) -> DetectorModel:
        """The model's numbers."""
        return MODELS[self.model]


class Source(_Strict):
    """The light source."""

    name: str = "Softbeam Storage Ring"
    short_name: str = "SBSR"
    type: str = "Synchrotron X-ray Source"
    probe: str = "x-ray"


class Beam(_Strict):
    """The beam at the sample."""

    energy: str = "energy"
    """Name of the motor that holds the photon energy in eV."""
    attenuator: str | None = None
    """Name of the motor that holds the transmission, 0 to 1."""
    flux: Positive = 1.0e12
    """Photons per second with nothing in the beam."""
    size: tuple[Positive, Positive] = (20e-6, 20e-6)
    """Metres, horizontal and vertical."""
    polarization: Annotated[float, Field(ge=-1, le=1)] = 0.999
    """Fraction of horizontal polarisation."""


class Crystal(_Strict):
    """The crystal that is simulated."""

    cell: tuple[Positive, Positive, Positive, Positive, Positive, Positive]
    """a, b, c in Angstrom, alpha, beta, gamma in degrees."""
    space_group: str = "P 43 21 2"
    seed: int = 1
    """Orientation, intensities and noise come from this."""
    b_factor: Positive = 18.0
    """Wilson B in square Angstrom."""
    rocking: Positive = 0.08
    """Half-width (sigma) of a reflection in degrees."""
    spot_size: Positive = 0.85
    """Sigma of a spot on the detector in pixels."""
    resolution: Positive = 1.8
    """Reflections up to this d spacing in Angstrom are rendered."""
    intensity: Positive = 2000.0
    """Mean counts of a full low-angle reflection at full transmission."""


class Sample(_Strict):
    """What is mounted, and the axis it is mounted on."""

    name: str = "sample"
    depends_on: str
    """The axis nearest to the sample."""
    crystal: Crystal


class User(_Strict):
    """Who measures."""

    name: str = ""
    proposal: str = ""
    visit: str = ""


class Simulation(_Strict):
    """What only the simulator knows."""

    truth: bool = True
    """Serve what was simulated as a PV, for the coordinator to leave beside the master."""
    trigger_pv: str = "TRIG:"
    """Device that starts external series when a motor crosses a position."""
    primed: bool = True
    """Serve the sizes of arrays from the start; otherwise they are 0 until the first frame."""
    acknowledge_within: Positive = 10.0
    """Seconds that AcquireBusy waits for the writer's word on a series, with WaitForPlugins."""


class Beamline(_Strict):
    """The whole description."""

    name: str
    short_name: str = ""
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_:.\-]{1,24}$")] = "SB:"
    preset: Preset = Preset.ADCORE
    motors: tuple[Motor, ...]
    detectors: Annotated[tuple[Detector, ...], Field(min_length=1)]
    goniometer: dict[Literal["omega", "chi", "kappa", "phi", "two_theta"], str] = {}  # noqa: RUF012 (pydantic)
    """Which motor stands behind each goniometer axis of the stream."""
    sample: Sample
    source: Source = Source()
    beam: Beam = Beam()
    user: User = User()
    storage: Storage = Storage()
    ca: ChannelAccess = ChannelAccess()
    simulation: Simulation = Simulation()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        findings = cross_check(self.model_dump(mode="json"))
        if findings:
            raise ValueError("; ".join(findings))
        return self

    def motor(self, name: str) -> Motor:
        """The motor of that name.

        Raises:
            KeyError: No motor has it.
        """
        for motor in self.motors:
            if motor.name == name:
                return motor
        raise KeyError(
            f"no motor {name!r} in beamline {self.name!r}; there are {[m.name for m in self.motors]}"
        )

    def detector(self, name: str) -> Detector:
        """The detector of that name.

        Raises:
            KeyError: No detector has it.
        """
        for detector in self.detectors:
            if detector.name == name:
                return detector
        known = [d.name for d in self.detectors]
        raise KeyError(f"no detector {name!r} in beamline {self.name!r}; there are {known}")


def parse(text: str, source: str = "beamline") -> Beamline:
    """Read a beamline file's text.

    Args:
        text: TOML, or the JSON that ``Beamline.model_dump_json`` writes, which begins with a brace.
        source: Where it came from, for messages.

    Raises:
        BeamlineError: Lists everything that is wrong with it.
    """
    try:
        values = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except ValueError as error:
        raise BeamlineError(source, [f"not TOML: {error}"]) from None
    findings: list[str] = []
    beamline: Beamline | None = None
    try:
        beamline = Beamline.model_validate(values)
    except ValidationError as error:
        findings = [_finding(e) for e in error.errors() if e["loc"]]
    findings += cross_check(values)
    if findings or beamline is None:
        raise BeamlineError(source, findings or ["no beamline could be made of it"])
    return beamline


def load(path: Path | None = None) -> Beamline:
    """The beamline in a file, or the built-in MX beamline.

    Raises:
        BeamlineError: The file cannot be read, or lists everything that is wrong with it.
    """
    if path is None:
        return parse(default_text(), "built-in beamline")
    try:
        return parse(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise BeamlineError(str(path), [f"cannot be read: {error}"]) from None


def default_file() -> Path:
    """Path of the built-in beamline."""
    return Path(__file__).with_name("default.toml")


def default_text() -> str:
    """TOML of the built-in beamline."""
    return default_file().read_text(encoding="utf-8")


def _finding(error: Any) -> str:
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"])
    got = "" if error["type"] in ("missing", "extra_forbidden") else f" (got {error['input']!r})"
    return f"{key.lstrip('.')}: {error['msg'].removeprefix('Value error, ')}{got}"
