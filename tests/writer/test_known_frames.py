"""What is known of frames before they come: by the camera, by the latest frame, or by nobody yet."""

from layouts.beamline import load
from layouts.stream.messages import Codec
from writer.known_frames import UNKNOWN, Format, KnownFrames
from writer.reports import Counters, FrameReport
from writer.watch import Camera


class Watched:
    def __init__(self):
        self.cameras = {"EIG1": Camera(), "EIG2": Camera()}

    def camera_prefix(self, detector):
        return f"SB:{detector.pv}:cam1:"


def known(*, primed=True):
    beamline = load()
    simulation = beamline.simulation.model_copy(update={"primed": primed})
    watch = Watched()
    return KnownFrames(beamline.model_copy(update={"simulation": simulation}), watch), watch.cameras["EIG1"]


def frame(arrival, dtype="uint32", shape=(10, 20)):
    return FrameReport(
        series=1, frame=0, shape=shape, dtype=dtype, codec=Codec.BSLZ4, size=9, arrival=arrival
    )


def test_sizes_are_known_at_boot_unless_the_beamline_is_not_to_be_primed():
    assert all(known()[0].at_boot("EIG1").shape)
    frames, camera = known(primed=False)
    assert frames.at_boot("EIG1") == UNKNOWN
    assert frames.camera_said("EIG1") is None
    camera.take("ArraySizeX_RBV", 20, 0.0)
    camera.take("ArraySizeY_RBV", 10, 0.0)
    assert frames.camera_said("EIG1").shape == (10, 20)


def test_a_frame_is_news_once():
    frames, _ = known()
    assert frames.came("EIG1", None) is None
    assert frames.came("EIG1", frame(1.0)) == Format((10, 20), "uint32")
    assert frames.came("EIG1", frame(2.0)) is None
    assert frames.came("EIG1", frame(3.0, "uint16")) == Format((10, 20), "uint16")


def test_an_old_frame_does_not_undo_what_the_camera_says():
    frames, camera = known()
    frames.came("EIG1", frame(1.0))
    camera.take("DataType_RBV", "UInt8", 0.0)
    assert frames.camera_said("EIG1").dtype == "uint8"
    assert frames.came("EIG1", frame(1.0)) is None
    assert frames.expectation("EIG1").dtype == "uint8"


def test_sizes_of_packed_frames_are_remembered():
    frames, _ = known()
    assert frames.expectation("EIG1").frame_bytes is None
    frames.stored("EIG1", Counters(stored=4, bytes=400))
    frames.stored("EIG1", Counters())
    assert frames.expectation("EIG1").frame_bytes == 100
