"""What may go along with a prompt, and what is said of a file that may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui_orchestrator.services.attachments import AttachmentError, read_file

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a" * 1_000_001, "at most 1.0 MB can go along: give the part the question is about, or split the file"),
        (b"a" * 5_000_001, "at most 1.0 MB can go along: give the part the question is about, or split the file"),
        (PNG + b"a" * 5_000_000, "at most 5.0 MB can go along: scale the image down"),
    ],
    ids=["text", "much text", "image"],
)
def test_a_file_that_is_too_large_is_refused_with_what_to_do_instead(tmp_path: Path, data: bytes, said: str) -> None:
    file = tmp_path / "large"
    file.write_bytes(data)
    with pytest.raises(AttachmentError, match=said):
        read_file(file)
