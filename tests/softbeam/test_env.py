"""What ``softbeam env`` prints: addresses of the writer's metrics only where they are served."""

from layouts.beamline import load
from softbeam.env import lines


def beamline(port):
    built_in = load()
    return built_in.model_copy(update={"ca": built_in.ca.model_copy(update={"metrics_port": port})})


def test_no_address_of_metrics_unless_they_are_served():
    assert not any("/metrics" in line for line in lines(beamline(0)))


def test_the_address_of_metrics_is_a_comment_to_a_shell():
    (line,) = [line for line in lines(beamline(9109)) if "/metrics" in line and "http" in line]
    assert line.startswith("#")
    assert line.split()[1:] == ["http://127.0.0.1:9109/metrics", "http://127.0.0.1:9109/status.json"]
