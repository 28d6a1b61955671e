import importlib.util
from pathlib import Path
from typing import Any

import pytest

from corpusmill.exports.errors import ExportError
from corpusmill.exports.parquet import ROWS, ParquetFile
from corpusmill.exports.record import read_record

PAIR = read_record(b'{"id":"j:0:e","index":0,"example":"e","values":{"x":1},"prompt":"P","completion":"C"}')
CHAT = read_record(
    b'{"id":"j:1:f","index":1,"example":"f","values":{"x":"\xc3\xa9"},"split":"train",'
    b'"messages":[{"role":"user","content":"Q"},{"role":"assistant","content":"A"}]}'
)
INSTALLED = importlib.util.find_spec("pyarrow") is not None


@pytest.mark.skipif(INSTALLED, reason="pyarrow is installed")
def test_without_pyarrow_one_line_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"^parquet needs pyarrow: pip install corpusmill\[parquet\]$"):
        ParquetFile(tmp_path / "a.parquet")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not INSTALLED, reason="pyarrow is an extra")
def test_rows_come_back_as_the_records_were(tmp_path: Path) -> None:
    sink = ParquetFile(tmp_path / "a.parquet")
    for _ in range(ROWS):
        sink.write(PAIR)
    sink.write(CHAT)
    receipt = sink.finish()
    sink.close()
    parquet: Any = importlib.import_module("pyarrow.parquet")
    rows = parquet.read_table(tmp_path / "a.parquet").to_pylist()
    assert receipt.records == len(rows) == ROWS + 1
    assert receipt.bytes == (tmp_path / "a.parquet").stat().st_size
    assert rows[0] == {
        "id": "j:0:e",
        "index": 0,
        "example": "e",
        "values": '{"x":1}',
        "messages": None,
        "prompt": "P",
        "completion": "C",
        "split": None,
    }
    assert rows[-1]["messages"] == [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]
    assert (rows[-1]["prompt"], rows[-1]["values"], rows[-1]["split"]) == (None, '{"x":"é"}', "train")
