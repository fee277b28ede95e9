"""A capture with a clock of its own, driven event by event."""

from layouts.stream.messages import Codec, SeriesParameters
from writer.capture import Capture
from writer.capture_values import Ended, PixelFormat
from writer.series import Announced, SeriesKey

PIXELS = PixelFormat((4, 6), "uint16", Codec.BSLZ4)
OTHER = PixelFormat((4, 6), "uint32", Codec.BSLZ4)


def announced(number, images=None, *, first=0, **said):
    return Announced(
        key=SeriesKey(number),
        parameters=SeriesParameters(images=images, **said),
        arrival=0.0,
        next_frame=first,
    )


class Drive:
    """A capture with a clock, and what came of every frame."""

    def __init__(self, **options):
        self.capture = Capture(**options)
        self.now = 100.0
        self.actions = []

    def start(self, *args, **said):
        self.actions += self.capture.start(announced(*args, **said), self.now)

    def frame(self, series, number, pixels=PIXELS, *, fails=False):
        place, actions = self.capture.frame(SeriesKey(series), number, pixels, self.now)
        self.actions += actions
        if place >= 0 and fails:
            self.capture.failed()
        elif place >= 0:
            self.actions += self.capture.stored(place, 10, self.now)
        return place

    def frames(self, series, numbers):
        return [self.frame(series, number) for number in numbers]

    def end(self, series):
        self.actions += self.capture.end(SeriesKey(series), self.now)

    def wait(self, seconds):
        self.now += seconds
        self.actions += self.capture.tick(self.now)

    def stop(self, *, drain=True):
        self.actions += self.capture.stop(self.now, drain=drain)

    def abort(self, number=None, fault=""):
        self.actions += self.capture.abort(number, self.now, fault)

    @property
    def finished(self):
        return self.capture.finished

    @property
    def last(self):
        return [action for action in self.actions if isinstance(action, Ended)][-1]


def sums(capture):
    tally = capture.tally
    assert tally.received == (tally.stored + tally.duplicate + tally.foreign + tally.unwanted + tally.failed)
    if capture.series is None:
        assert tally.expected == tally.stored + tally.missing
