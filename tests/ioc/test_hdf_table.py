"""The file writer's records against NDFileHDF5's template, and against what clients ask for."""

from ioc.channels import rtype
from ioc.records import PvClass, expand
from ioc.tables.array import XML_LENGTH
from ioc.tables.hdf import hdf
from tests.kit.interfaces import differences, template

OTHERWISE = {
    # The template's unit is a slip: the parameter is bytes per second.
    "MaxByteRate: units 'B/s', the template has 's'",
    "MaxByteRate_RBV: units 'B/s', the template has 's'",
    # More than two attributes do not fit into the template's record, and clients write XML with dozens.
    f"NDAttributesFile: {XML_LENGTH} elements, the template has 256",
}
ASKED_FOR = {"FileNumber_Sync", "FileNumber_write", "PoolMaxBuffers"}
"""What ophyd asks for that today's template does not have."""
OURS = {
    *(f"Num{what}_RBV" for what in ("Stored", "Missing", "Expected", "Received", "Duplicate", "Unwanted")),
    *("NumForeign_RBV", "NumFailed_RBV", "SeriesId_RBV", "Connected_RBV", "MasterFile_RBV"),
    *("NumLate_RBV", "StoredBytes_RBV", "BacklogBytes_RBV", "SlowCalls_RBV", "Fault_RBV", "ClearFault"),
    *(
        f"{call}{what}_RBV"
        for call in ("Create", "Write", "Flush", "Close")
        for what in ("Count", "Last", "Max", "Mean")
    ),
}
ACT = {
    *("ArrayCounter", "AutoIncrement", "AutoSave", "Capture", "CreateDirectory", "DroppedArrays"),
    *("EnableCallbacks", "FileName", "FileNumber", "FilePath", "FileTemplate", "FileWriteMode", "FlushNow"),
    *("FreeCapture", "LazyOpen", "NDArrayPort", "NumCapture", "NumFramesFlush", "QueueSize", "SWMRMode"),
    *("TempSuffix", "WriteFile", "XMLFileName"),
}


def test_every_record_of_the_template_is_there_as_it_has_it():
    table, wanted = expand(hdf()), template("hdf5")
    assert set(differences(table, wanted)) == OTHERWISE
    unlike = {name for name, record in wanted.items() if rtype(table[name]) != record.rtype}
    assert unlike <= {"MaxArrayRate_RBV"}  # calculated there, for it is kept as a time


def test_beyond_the_template_there_is_only_what_clients_ask_for_and_ours():
    beyond = {name for name in set(expand(hdf())) - set(template("hdf5")) if "." not in name}
    assert beyond == ASKED_FOR | OURS


def test_what_acts_and_what_echoes_says_so():
    table = expand(hdf())
    assert {name for name, record in table.items() if record.pv_class is PvClass.ACTS} >= ACT
    for name in ("Compression", "NumFramesChunks", "BlockingCallbacks", "BoundaryAlign", "ZLevel"):
        assert table[name].pv_class is PvClass.ECHOES
        assert table[name].doc.startswith("Echoes")
    assert all(record.doc.endswith(".") for record in table.values())
