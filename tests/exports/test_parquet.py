import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

from corpusmill.exports.parquet import ROWS, ParquetFile
from corpusmill.exports.record import read_record

PAIR = read_record(b'{"id":"j:0:e","index":0,"example":"e","values":{"x":1},"prompt":"P","completion":"C"}')
CHAT = read_record(
    b'{"id":"j:1:f","index":1,"example":"f","values":{"x":"\xc3\xa9"},"split":"train",'
    b'"messages":[{"role":"user","content":"Q"},{"role":"assistant","content":"A"}]}'
)


def test_without_pyarrow_one_line_says_how_to_get_it(tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from pathlib import Path; from corpusmill.exports.parquet import ParquetFile\n"
        f"ParquetFile(Path({str(tmp_path / 'a.parquet')!r}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1].endswith("parquet needs pyarrow: pip install corpusmill[parquet]")
    assert list(tmp_path.iterdir()) == []


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
        "chosen": None,
        "rejected": None,
        "split": None,
    }
    assert rows[-1]["messages"] == [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]
    assert (rows[-1]["prompt"], rows[-1]["values"], rows[-1]["split"]) == (None, '{"x":"é"}', "train")
