"""An acquisition over all detectors: softbeam's own records, in areaDetector's manner."""

from __future__ import annotations

from ioc.menus import AcqState, NoYes
from ioc.records import Record
from ioc.tables.build import ACTS, choice, fault, number, said, shown, text, told, whole


def acq() -> tuple[Record, ...]:
    """Records of ``ACQ:``."""
    return (
        *fault(),
        text("FilePath", "", "Directory; the readback ends in a slash.", does=ACTS),
        told("FilePathExists_RBV", NoYes, doc="Whether the directory is there."),
        whole("CreateDirectory", -5, "Minus the number of directories to create.", does=ACTS),
        text("Name", "", "Name of the acquisition, stem of its files.", does=ACTS),
        text("Detectors", "", "Names with commas; empty is all of them.", does=ACTS),
        text("SampleName", "", "What is mounted.", does=ACTS),
        choice(
            "Start",
            ("Done", "Start"),
            doc="Capture on every detector, then acquire; a put completes when the master is there.",
            does=ACTS,
            rbv=False,
            rtype="busy",
        ),
        choice("Abort", ("Done", "Abort"), doc="End it now; what came is kept.", does=ACTS, rbv=False),
        told("State_RBV", AcqState, doc="Where the acquisition is."),
        number("Timeout", 0.0, "Seconds after which it ends by itself; 0 is never.", units="s", precision=1),
        shown("Progress_RBV", 0.0, "Part that is done.", units="%", precision=1),
        shown("Expected_RBV", 0, "Frames that are expected of all detectors."),
        shown("Stored_RBV", 0, "Frames on disk."),
        shown("Missing_RBV", 0, "Frames that never came."),
        shown("Number_RBV", 0, "Acquisitions since the program began."),
        said("MasterFile_RBV", "", "Master of the latest acquisition.", length=512),
        said("Message_RBV", "", "What it is doing, or what went wrong.", length=512),
        shown("Outcome_RBV", "", "complete, aborted or incomplete."),
        shown("Elapsed_RBV", 0.0, "Time since it began.", units="s", precision=1),
        shown("Version_RBV", "0.1.0", "Version of softbeam."),
    )
