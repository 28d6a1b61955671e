"""What a template reads of a document, and that it is always what it was."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.space.documents.axis import DocumentAxis
from corpusmill.space.documents.index import DamagedIndexError
from corpusmill.space.documents.places import Base
from corpusmill.space.documents.scan import Bound, Scanner, StoppedError
from corpusmill.spec.errors import DocumentError
from corpusmill.spec.schema import Documents
from corpusmill.spec.template import compile_expression, compile_template
from tests.space.documents.shelf import MISSING, Shelf, folder_of

STORY = "Once upon a time there was a mill. It ground words into corn, day and night. Then the wind stopped."


def test_a_template_reads_the_text_and_what_belongs_to_it(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, tales__mill_txt=f"  {STORY}\n")
    shelf = Shelf(
        folder, files="tales/*", group="folder", clean={"strip": True}, truncate={"chars": 20, "marker": "[...]"}
    )
    template = compile_template("{{ note.name }} ({{ note.group }}): {{ note }} / {{ note.full | length }}")
    assert template.render({"note": shelf.axis[0]}) == f"tales/mill.txt (tales): Once upon a time[...] / {len(STORY)}"
    assert compile_template("{{ note }}").render({"note": shelf.axis[0]}) == "Once upon a time[...]"
    assert compile_template("{{ note['group'] }}").render({"note": shelf.axis[0]}) == "tales"
    assert compile_template("{% for x in [note] %}{{ x[:4] }}{% endfor %}").render({"note": shelf.axis[0]}) == "Once"
    assert compile_expression("note.group == 'tales' and 'upon' in note").evaluate({"note": shelf.axis[0]}) is True


@given(st.integers(6, 60), st.data())
@settings(max_examples=30, deadline=None)
def test_chunks_know_their_neighbours(
    tmp_path_factory: pytest.TempPathFactory, chars: int, data: st.DataObject
) -> None:
    overlap = data.draw(st.integers(0, chars // 2))
    folder = folder_of(tmp_path_factory.mktemp("shelf"), a_txt=STORY, b_txt="Short.")
    shelf = Shelf(folder, files="*", chunk={"chars": chars, "overlap": overlap})
    texts, chunks = shelf.texts(), [shelf.read(number, "chunk") for number in range(len(shelf.axis))]
    last = len(texts) - 1
    assert shelf.names() == [f"a.txt#{number}" for number in range(1, last + 1)] + ["b.txt#1"]
    assert chunks == [*range(1, last + 1), 1]
    assert shelf.read(0, "chunks") == texts[:last]
    assert [shelf.read(number, "previous") for number in range(last)] == ["", *texts[: last - 1]]
    assert [shelf.read(number, "next") for number in range(last)] == [*texts[1:last], ""]
    assert [shelf.axis[number].source for number in range(last + 1)] == ["a.txt"] * last + ["b.txt"]
    assert shelf.read(0, "full") == STORY
    assert (shelf.read(last, "previous"), shelf.read(last, "next"), shelf.read(0, "size")) == ("", "", MISSING)


@pytest.mark.parametrize("change", ["Another text", STORY + ".", STORY[:-1], None])
def test_a_document_that_changed_is_never_taken_for_what_it_was(tmp_path: Path, change: str | None) -> None:
    folder = folder_of(tmp_path, a_txt=STORY)
    note = Shelf(folder, files="a.txt").axis[0]
    (folder / "a.txt").unlink() if change is None else (folder / "a.txt").write_text(change)
    with pytest.raises(
        DocumentError, match=r"note a\.txt: (changed: it is not what it was|vanished: there is no file)"
    ):
        note.text()
    assert str(note) == "a.txt"


def test_a_row_may_be_followed_by_more_but_not_replaced(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, a_jsonl='{"text": "one"}\n{"text": "two"}')
    axis = Shelf(folder, jsonl="a.jsonl").axis
    (folder / "a.jsonl").write_text('{"text": "one"}\n{"text": "owt"}\n{"text": "three"}')
    assert axis[0].text() == "one"
    with pytest.raises(DocumentError, match=r"a\.jsonl:2: changed"):
        axis[1].text()


def test_groups_are_bounded_each_by_a_seeded_choice(tmp_path: Path) -> None:
    names = [f"{kind}/{number}.txt" for kind in ("news", "chat", "law") for number in range(20 if kind != "law" else 2)]
    folder = folder_of(tmp_path)
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(name)
    shelf = Shelf(folder, files="*/*", group="folder", per_group=5)
    assert Counter(name.split("/")[0] for name in shelf.names()) == {"news": 5, "chat": 5, "law": 2}
    assert shelf.axis.weights() == {"chat": 5, "law": 2, "news": 5}
    assert shelf.names() == sorted(shelf.names())
    assert shelf.names() == Shelf(folder, files="*/*", group="folder", per_group=5).names()
    chosen = {name for name in shelf.names() if name.startswith("news")}
    (folder / "news" / "new.txt").write_text("new")
    again = {
        name for name in Shelf(folder, files="*/*", group="folder", per_group=5).names() if name.startswith("news")
    }
    assert len(chosen & again) >= 4, "one more document changes the choice by one at most"


def test_gates_pass_documents_over_without_a_word(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path, a_txt="I am a bot.", b_txt="x", c_txt="A good long text.", d_txt="long " * 20, e_txt="no good"
    )
    shelf = Shelf(folder, files="*", min_chars=3, max_chars=50, matching="good|bot", not_matching="I am a bot")
    assert shelf.texts() == ["A good long text.", "no good"]
    assert shelf.scan.footer.skipped == {"max_chars": 1, "min_chars": 1, "not_matching": 1}
    assert shelf.skipped == []


def test_a_part_of_the_name_is_the_group(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    for name in ("poetry_1.txt", "poetry_2.txt", "jokes_1.txt", "none.txt"):
        (folder / name).write_text("text")
    shelf = Shelf(folder, files="*", group={"matching": "^([a-z]+)_"})
    assert shelf.axis.weights() == {"jokes": 1, "poetry": 2}
    assert [(each.name, each.reason) for each in shelf.skipped] == [("none.txt", "no_group")]


def test_a_limit_takes_the_first(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, a_jsonl="\n".join(f'{{"text": "{number}"}}' for number in range(100)))
    assert Shelf(folder, jsonl="a.jsonl", limit=3).texts() == ["0", "1", "2"]


def test_several_patterns_take_each_file_once(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, a_txt="a", b_txt="b", c_md="c")
    assert Shelf(folder, files=["b.*", "*.txt", "*.md"]).names() == ["b.txt", "a.txt", "c.md"]


def test_an_index_that_was_damaged_is_refused(tmp_path: Path) -> None:
    shelf = Shelf(folder_of(tmp_path, a_txt="a", b_txt="b"), files="*")
    path = tmp_path / "note.index"
    whole = path.read_bytes()
    for place in range(0, len(whole) - len(str(tmp_path)) - 30, 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        if 48 <= place < 64:
            continue  # padding
        with pytest.raises(DamagedIndexError):
            DocumentAxis("note", shelf.spec, path)
    path.write_bytes(whole[:20])
    with pytest.raises(DamagedIndexError):
        DocumentAxis("note", shelf.spec, path)


def test_a_pass_that_is_told_to_stop_leaves_no_index(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, a_jsonl='{"text": "x"}\n' * 5000)
    asked = iter([False, False, True])
    spec = Documents(jsonl="a.jsonl")
    scanner = Scanner("note", spec, Base({"": folder}), tmp_path / "note.index", b"", stopped=lambda: next(asked, True))
    with pytest.raises(StoppedError):
        scanner.run()
    assert [path.name for path in tmp_path.iterdir()] == ["spec"]


def test_a_plan_reads_a_bounded_part_and_says_which(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, a_jsonl='{"text": "x"}\n' * 5000)
    bound = Bound(bytes=20_000, files=10)
    scan = Scanner("note", Documents(jsonl="*"), Base({"": folder}), tmp_path / "i.index", b"", bound=bound).run()
    assert 20_000 <= scan.seen * 70_000 <= 70_000
    assert scan.footer.documents == scan.footer.found <= 5000
    small = Bound(bytes=1, files=10)
    again = folder_of(tmp_path, b_txt="text", c_txt="text", d_txt="te")
    part = Scanner("note", Documents(files="*.txt"), Base({"": again}), tmp_path / "j.index", b"", bound=small).run()
    assert (part.footer.documents, part.seen) == (1, 0.4)
