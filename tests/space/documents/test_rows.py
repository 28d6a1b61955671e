"""Rows of JSON lines, CSV and Parquet: each is found, and found again, whatever stands in it."""

import csv
import importlib
import io
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.space.documents import formats
from corpusmill.spec.errors import SpecError
from tests.space.documents.shelf import Shelf, folder_of

arrow: Any = importlib.import_module("pyarrow")
parquet: Any = importlib.import_module("pyarrow.parquet")

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(str.strip)


@given(st.lists(TEXTS, min_size=1, max_size=20), st.booleans(), st.sampled_from(["", "\n", "\n\n"]))
@settings(max_examples=60, deadline=None)
def test_every_line_of_json_is_found_again(texts: list[str], ascii_only: bool, end: str) -> None:
    lines = [json.dumps({"text": text, "n": number}, ensure_ascii=ascii_only) for number, text in enumerate(texts)]
    with TemporaryDirectory() as name:
        shelf = Shelf(folder_of(Path(name), posts_jsonl="\n".join(lines) + end), jsonl="posts.jsonl")
        assert shelf.texts() == texts
        assert [shelf.read(number, "fields") for number in range(len(texts))] == [{"n": n} for n in range(len(texts))]
        assert shelf.names() == [f"posts.jsonl:{number}" for number in range(1, len(texts) + 1)]


@given(st.lists(st.tuples(TEXTS, st.text(st.characters(exclude_categories=["Cs"]))), min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_every_row_of_csv_is_found_again(rows: list[tuple[str, str]]) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(["title", "body"])
    writer.writerows([(title, text) for text, title in rows])
    with TemporaryDirectory() as name:
        shelf = Shelf(folder_of(Path(name), posts_csv=file.getvalue()), csv="posts.csv", text="body")
        assert shelf.texts() == [text for text, _ in rows]
        assert [shelf.read(number, "fields") for number in range(len(rows))] == [{"title": title} for _, title in rows]


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    mark = b"\xef\xbb\xbf"
    folder = folder_of(
        tmp_path,
        a_jsonl=mark + b'{"text": "one"}\n{"text": "two"}',
        b_csv=mark + b"text\nthree\n",
        c_txt=mark + b"four",
    )
    assert Shelf(folder, jsonl="a.jsonl").texts() == ["one", "two"]
    assert Shelf(folder, csv="b.csv").texts() == ["three"]
    assert Shelf(folder, files="c.txt").texts() == ["four"]


def test_a_broken_line_is_told_by_its_number_and_the_others_are_read(tmp_path: Path) -> None:
    lines = [
        b'{"text": "first"}', b"", b'{"text": "no end"', b"[1]", b'{"text": "\xff"}', b'{"body": "x"}', b'{"text": 7}',
        b'{"text": " \\n "}', b'{"text": "\\ud800"}', b'{"text": ' + b"[" * 5000 + b"}", b'{"text": "last"}',
    ]  # fmt: skip
    shelf = Shelf(folder_of(tmp_path, p_jsonl=b"\n".join(lines)), jsonl="p.jsonl")
    assert shelf.texts() == ["first", "last"]
    assert shelf.names() == ["p.jsonl:1", "p.jsonl:11"]
    assert [(each.name, each.reason) for each in shelf.skipped] == [
        ("p.jsonl:3", "malformed"), ("p.jsonl:4", "malformed"), ("p.jsonl:5", "encoding"), ("p.jsonl:6", "no_text"),
        ("p.jsonl:7", "no_text"), ("p.jsonl:8", "empty"), ("p.jsonl:9", "malformed"), ("p.jsonl:10", "malformed"),
    ]  # fmt: skip
    assert shelf.scan.footer.skipped == {"empty": 1, "encoding": 1, "malformed": 4, "no_text": 2}


def test_a_broken_row_of_csv_is_told_by_its_number_and_the_others_are_read(tmp_path: Path) -> None:
    rows = [b"id,text", b"1,first", b"2", b"3,\xff", b'4,"two\nlines"', b'5,"a"b', b"", b"6,last"]
    shelf = Shelf(folder_of(tmp_path, p_csv=b"\r\n".join(rows)), csv="p.csv")
    assert shelf.texts() == ["first", "two\nlines", "last"]
    assert shelf.names() == ["p.csv:1", "p.csv:4", "p.csv:6"]
    assert [(each.name, each.reason) for each in shelf.skipped] == [
        ("p.csv:2", "malformed"), ("p.csv:3", "encoding"), ("p.csv:5", "malformed")
    ]  # fmt: skip


@pytest.mark.parametrize(("content", "reason"), [(b"", "empty"), (b"a,a\n1,2", "malformed"), (b"\xff\n1", "encoding")])
def test_a_table_without_a_header_is_told(tmp_path: Path, content: bytes, reason: str) -> None:
    shelf = Shelf(folder_of(tmp_path, a_csv=content, b_csv="text\nx"), csv="*.csv")
    assert [(each.name, each.reason) for each in shelf.skipped] == [("a.csv", reason)]
    assert shelf.texts() == ["x"]


def test_what_is_far_too_long_is_told_and_what_follows_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "MAX_DOCUMENT_BYTES", 100)
    long, lines = "x" * 1000, "y\n" * 200
    folder = folder_of(
        tmp_path,
        a_jsonl=f'{{"text": "{long}"}}\n{{"text": "next"}}\n',
        b_csv=f'text\n"{long}"\nnext\n"{lines}"\nlast\n',
        c_txt=long,
        d_txt="next",
    )
    assert Shelf(folder, jsonl="a.jsonl").names() == ["a.jsonl:2"]
    assert Shelf(folder, files="*.txt").names() == ["d.txt"]
    shelf = Shelf(folder, csv="b.csv")
    assert shelf.texts()[0] == "next"
    assert {each.reason for each in shelf.skipped} >= {"too_large"}


def test_parquet_is_kept_beside_the_index(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, bad_parquet="no such thing")
    rows = [{"text": f"text {number}", "tags": ["a", str(number)], "day": None} for number in range(1000)]
    parquet.write_table(arrow.Table.from_pylist(rows), folder / "a.parquet", row_group_size=100)
    shelf = Shelf(folder, parquet="*.parquet", matching="[05]$")
    (folder / "a.parquet").unlink()
    assert shelf.texts() == [f"text {number}" for number in range(0, 1000, 5)]
    assert shelf.read(1, "fields") == {"tags": ["a", "5"], "day": None}
    assert shelf.names()[1] == "a.parquet:6"
    assert [(each.name, each.reason) for each in shelf.skipped] == [("bad.parquet", "malformed")]


def test_a_column_names_the_document_and_its_group(tmp_path: Path) -> None:
    rows = [
        {"id": "x/1", "sub": "a", "text": "one"},
        {"id": 2, "sub": "b", "text": "two"},
        {"id": "", "sub": "b", "text": "three"},
        {"id": "y", "text": "four"},
    ]
    folder = folder_of(tmp_path, p_jsonl="\n".join(map(json.dumps, rows)))
    shelf = Shelf(folder, jsonl="p.jsonl", name="id", group={"column": "sub"})
    assert shelf.names() == ["x/1", "2"]
    assert [shelf.read(number, "group") for number in range(2)] == ["a", "b"]
    assert [each.reason for each in shelf.skipped] == ["no_name", "no_group"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("id;text\n1;one\n", "posts.csv:1: it has no column 'text'; it has `id;text`"),
        ("id,text,text\n1,one,two\n", "posts.csv: two columns of its header have one name: `text`"),
        ("id,text\n1\n", "posts.csv:1: 1 fields, where the header has 2"),
        ('id,text\n1,"one\n', "posts.csv:1: unexpected end of data"),
        ("", "posts.csv: it has no header"),
    ],
)
def test_a_table_of_which_nothing_can_be_used_is_told_with_its_first_fault(
    tmp_path: Path, content: str, told: str
) -> None:
    with pytest.raises(SpecError) as refused:
        Shelf(folder_of(tmp_path, posts_csv=content), csv="posts.csv", text="text")
    assert str(refused.value).endswith(told)


def test_nothing_to_use_is_refused_with_the_reasons(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, a_txt="", b_txt=" ", c_txt="short", d_txt=b"\xff")
    with pytest.raises(
        SpecError,
        match=r"used of the 4 that were found: 2 empty, 1 min_chars, 1 enc.*; a\.txt: nothing but white",
    ):
        Shelf(folder, files="*.txt", min_chars=10)
    with pytest.raises(SpecError, match=r"space\.documents\.note\.files: no document: no file is found by `\*\.md`"):
        Shelf(folder, files="*.md")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["spec"]
