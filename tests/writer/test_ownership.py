"""Owner, group and mode of new files and directories."""

import errno
import os
import stat

import pytest

from layouts.stream.messages import Codec
from writer.capture_values import PixelFormat
from writer.keeping import Keeping
from writer.ownership import ownership
from writer.raw_h5 import RawFiles
from writer.write_errors import WriteError


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_files_get_the_mode_and_directories_may_be_searched(tmp_path):
    given = ownership(Keeping(mode="0640"))
    file, directory = tmp_path / "file", tmp_path / "directory"
    file.touch()
    directory.mkdir()
    given.give(file)
    given.give(directory)
    assert mode_of(file) == 0o640
    assert mode_of(directory) == 0o750


def test_nothing_changes_unless_said(tmp_path):
    before = mode_of(tmp_path)
    ownership(Keeping()).give(tmp_path)
    assert mode_of(tmp_path) == before


def test_own_numbers_and_names_are_understood(tmp_path):
    ownership(Keeping(owner=str(os.getuid()), group=str(os.getgid()))).give(tmp_path)
    assert ownership(Keeping(owner="root")).owner == 0


@pytest.mark.parametrize("key", ["owner", "group"])
def test_who_is_not_known_is_named(key):
    with pytest.raises(WriteError, match=rf"{key} 'no such name'.*not known on this machine"):
        ownership(Keeping(**{key: "no such name"}))


def test_a_refusal_says_what_is_refused_and_leaves_no_file(tmp_path, monkeypatch):
    def refuse(*_arguments):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "chown", refuse)
    give = ownership(Keeping(owner="12345")).give
    files = RawFiles(tmp_path, "run", give=give)
    with pytest.raises(WriteError, match=r"EPERM.*owner and group.*only root gives files") as caught:
        files.start(PixelFormat((4, 6), "uint16", Codec.NONE))
    assert caught.value.errno == errno.EPERM
    assert list(tmp_path.iterdir()) == []
