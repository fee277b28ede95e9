"""Odin's record tables against the templates of ADOdin."""

import pytest

from ioc.records import expand
from ioc.tables import odin
from tests.kit.interfaces import differences, template

# What no client of the record sees, or sees better here.
REASONS = {
    "AcqID_Calc": "link that copies FileName; done by the handler",
    "CalcCaptureStart": "likewise",
    "CalcReconnected": "reconnects a driver that is not there",
    "FP:FileName_Calc": "link that copies FileName",
    "FP:FilePath_Calc": "link that copies FilePath",
    "FileName_Calc": "link that copies FileName",
    "FilePath_Calc": "link that copies FilePath",
    "FullFileName_RBV": "longer than Odin's 256, so that no path is cut",
    "OutputFile_RBV": "likewise",
    "AcquirePeriod": "of the camera alone",
    "AcquireTime": "of the camera alone",
    "ReconnectFan1": "reconnects a driver that is not there",
    "ReconnectFan2": "likewise",
    "ReconnectFan3": "likewise",
    ":FrameDecoderVersion_RBV": "misspelt in the template, so that no client asks for it",
    ":FrameProcessorVersion_RBV": "likewise",
    ":FrameReceiverVersion_RBV": "likewise",
}


@pytest.mark.parametrize(
    ("name", "records"),
    [
        ("odin_writer", odin.odin()),
        ("odin_fan", odin.fan()),
        ("odin_meta", odin.meta()),
        ("odin_node", odin.node()),
    ],
)
def test_records_are_as_in_the_template(name, records):
    found = dict(line.split(": ", 1) for line in differences(expand(records), template(name)))
    assert {record: why for record, why in found.items() if record not in REASONS} == {}
