"""A file of lines that one program at a time appends to."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from resource import RLIMIT_FSIZE, getrlimit, setrlimit

import pytest

from tui_orchestrator.storage.appended import Appended
from tui_orchestrator.storage.presence import is_locked


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Bytes; what is written past them is torn there."""
    soft, hard = getrlimit(RLIMIT_FSIZE)
    setrlimit(RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        setrlimit(RLIMIT_FSIZE, (soft, hard))


def test_one_has_it_until_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    one = Appended(path)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(BlockingIOError, match="another program writes to it"):
        Appended(path)
    one.close()
    Appended(path).close()


def test_what_cannot_be_written_whole_leaves_no_part_of_it(tmp_path: Path) -> None:
    file = Appended(tmp_path / "lines")
    file.append(b"first\n")
    with files_of_at_most(10), pytest.raises(OSError, match="too large"):
        file.append(b"second\n")
    file.append(b"third\n")
    assert file.read() == b"first\nthird\n"
    file.close()


def test_what_replaces_it_is_as_readable_is_held_and_is_appended_to(tmp_path: Path) -> None:
    path, link = tmp_path / "lines", tmp_path / "elsewhere" / "link"
    path.write_bytes(b"old\n")
    path.chmod(0o640)
    link.parent.mkdir()
    link.symlink_to(path)
    file = Appended(link)
    file.replace(b"longer than it was\n")
    with pytest.raises(BlockingIOError):
        Appended(path)
    file.append(b"more\n")
    file.cut(len(b"longer than it was\n"))
    file.append(b"other\n")
    assert (path.read_bytes(), link.is_symlink()) == (b"longer than it was\nother\n", True)
    assert path.stat().st_mode & 0o777 == 0o640
    with files_of_at_most(10), pytest.raises(OSError, match="too large"):
        file.replace(b"what there is no room for\n")
    assert path.read_bytes() == b"longer than it was\nother\n"
    assert [*tmp_path.iterdir(), *link.parent.iterdir()] == [path, link.parent, link], "nothing is left beside it"
    file.close()


@pytest.mark.parametrize("again", [True, False])
def test_what_took_its_place_before_it_was_locked_is_what_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    path, lock = tmp_path / "lines", fcntl.flock
    path.write_bytes(b"old\n")

    def meanwhile(file: int, how: int) -> None:
        """Whoever had it replaces it, or takes it away, and ends."""
        monkeypatch.setattr(fcntl, "flock", lock)
        path.unlink()
        if again:
            path.write_bytes(b"new\n")
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", meanwhile)
    if not again:
        with pytest.raises(FileNotFoundError):
            Appended(path, create=False)
        return
    file = Appended(path, create=False)
    assert file.read() == b"new\n"
    with pytest.raises(BlockingIOError):
        Appended(path)
    file.close()


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert not is_locked(pipe), "nor is it waited for"
    for path in (pipe, Path("/dev/full"), Path("/dev/zero")):
        with pytest.raises(OSError, match="it is a pipe or a device, not a file"):
            Appended(path)
    with pytest.raises(IsADirectoryError):
        Appended(tmp_path)
