import hashlib
import resource
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from corpusmill.exports.errors import ExportError, OutputError
from corpusmill.exports.formats import JSON_LINES
from corpusmill.exports.output import appearing, side_path
from corpusmill.exports.record import Record, read_record
from corpusmill.exports.sinks import LinesFile

RECORD: Record = read_record(b'{"id":"j:0:e","index":0,"example":"e","values":{},"prompt":"P","completion":"C"}')


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_files_appear_together_when_the_block_ends(tmp_path: Path) -> None:
    paths = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    with appearing(paths, "1", replace=False) as temporaries:
        for number, temporary in enumerate(temporaries):
            temporary.write_text(str(number))
        assert not any(path.exists() for path in paths)
    assert [path.read_text() for path in paths] == ["0", "1"]
    assert names(tmp_path) == ["a.jsonl", "b.jsonl"]


def test_a_block_that_fails_leaves_everything_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("old")

    def fail() -> None:
        with appearing([path], "1", replace=True) as [temporary]:
            temporary.write_text("new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.jsonl"]


def test_what_is_there_is_replaced_on_request_only(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("old")
    with (
        pytest.raises(ExportError, match=r"a\.jsonl is there already; --force"),
        appearing([tmp_path / "b.jsonl", path], "1", replace=False),
    ):
        pass
    assert path.read_text() == "old"
    with appearing([path], "1", replace=True) as [temporary]:
        temporary.write_text("new")
    assert path.read_text() == "new"


def test_a_missing_folder_and_a_folder_in_the_way_are_told(tmp_path: Path) -> None:
    with (
        pytest.raises(ExportError, match=r"there is no folder .*gone"),
        appearing([tmp_path / "gone" / "a.jsonl"], "1", replace=False),
    ):
        pass
    (tmp_path / "taken").mkdir()
    with (
        pytest.raises(OutputError, match=r"taken: cannot be written: "),
        appearing([tmp_path / "taken"], "1", replace=True) as [temporary],
    ):
        temporary.write_text("new")
    assert names(tmp_path) == ["taken"]


@pytest.mark.parametrize(
    ("path", "train"),
    [("a.jsonl", "a.train.jsonl"), ("a.b.jsonl", "a.b.train.jsonl"), ("a", "a.train"), ("x.y/a", "x.y/a.train")],
)
def test_the_side_stands_before_the_suffix(path: str, train: str) -> None:
    assert side_path(Path(path), "train") == Path(train)


def test_the_receipt_is_that_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    sink = LinesFile(path, JSON_LINES["alpaca"])
    for _ in range(3):
        sink.write(RECORD)
    receipt = sink.finish()
    sink.close()
    content = path.read_bytes()
    assert content == b'{"instruction":"P","input":"","output":"C"}\n' * 3
    assert (receipt.records, receipt.bytes, receipt.sha256) == (3, len(content), hashlib.sha256(content).hexdigest())


@contextmanager
def files_limited_to(size_bytes: int) -> Iterator[None]:
    """The system refuses to let files of this process grow further, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_file_that_cannot_grow_is_told_in_one_line_and_leaves_nothing(tmp_path: Path) -> None:

    def export() -> None:
        with (
            appearing([tmp_path / "a.jsonl"], "1", replace=False) as [temporary],
            closing(LinesFile(temporary, JSON_LINES["alpaca"])) as sink,
        ):
            for _ in range(100):
                sink.write(RECORD)
            sink.finish()

    with files_limited_to(1_000), pytest.raises(OutputError, match=r"part: cannot be written: File too large$"):
        export()
    assert names(tmp_path) == []
