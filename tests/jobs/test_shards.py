from pathlib import Path
from typing import Literal

import pytest

from corpusmill.jobs.shards import CHUNK_BYTES, sealed_lines
from corpusmill.journal.errors import CorruptionError
from corpusmill.journal.files import Disk
from corpusmill.journal.shard import Sealed, Shard

LINES = [b'{"n":%d,"text":"%s"}' % (number, b"ab" * (number % 700)) for number in range(2_000)]
LONG = [b'"' + b"x" * (2 * CHUNK_BYTES + 5) + b'"', b"1", b'"' + b"y" * (CHUNK_BYTES - 3) + b'"', b"2"]

FORMS: list[Literal["none", "zstd"]] = ["none", "zstd"]


def seal(folder: Path, lines: list[bytes], compress: Literal["none", "zstd"]) -> Sealed:
    shard = Shard(Disk(), folder, 1, compress)
    shard.append(lines)
    return shard.seal()


@pytest.mark.parametrize("compress", FORMS)
@pytest.mark.parametrize("lines", [LINES, LONG, [b"0"]])
def test_lines_come_back_as_they_were_sealed(
    tmp_path: Path, compress: Literal["none", "zstd"], lines: list[bytes]
) -> None:
    assert list(sealed_lines(tmp_path, seal(tmp_path, lines, compress))) == lines


@pytest.mark.parametrize("compress", FORMS)
@pytest.mark.parametrize("place", [0, 1_000, -1])
def test_one_changed_byte_is_found(tmp_path: Path, compress: Literal["none", "zstd"], place: int) -> None:
    sealed = seal(tmp_path, LINES, compress)
    path = tmp_path / sealed.name
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(CorruptionError, match=sealed.name):
        list(sealed_lines(tmp_path, sealed))


@pytest.mark.parametrize("compress", FORMS)
@pytest.mark.parametrize("kept_bytes", [0, 10, -1])
def test_a_shortened_file_is_found(tmp_path: Path, compress: Literal["none", "zstd"], kept_bytes: int) -> None:
    sealed = seal(tmp_path, LINES, compress)
    path = tmp_path / sealed.name
    path.write_bytes(path.read_bytes()[:kept_bytes])
    with pytest.raises(CorruptionError, match=sealed.name):
        list(sealed_lines(tmp_path, sealed))


def test_a_missing_file_and_a_wrong_count_are_found(tmp_path: Path) -> None:
    sealed = seal(tmp_path, LINES, "none")
    miscounted = Sealed(sealed.name, sealed.records + 1, sealed.bytes, sealed.sha256)
    with pytest.raises(CorruptionError, match="2,000 lines where the manifest says 2,001"):
        list(sealed_lines(tmp_path, miscounted))
    (tmp_path / sealed.name).unlink()
    with pytest.raises(CorruptionError, match="missing"):
        list(sealed_lines(tmp_path, sealed))
