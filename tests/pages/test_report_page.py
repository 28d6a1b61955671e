"""The report as a page: whole by itself, its figures the report's, hostile texts harmless."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.pages.html import page, tag
from corpusmill.pages.plots import bar, cell_map, histogram, stacked_bar
from tests.cli.harness import invoke, output

SPEC = """
name: hostile
space: {axes: {genre: ["<script>alert(1)</script>", "a & b \\"quoted\\""], place: [here, there]}, draws: 5}
steps: [{name: plot, prompt: "{{ nonce }} {{ genre }} {{ place }}"}]
filters: [{of: plot, min_chars: 1300}]
examples: [{name: row, prompt: "{{ genre }}", completion: "{{ plot }}"}]
"""


class Tags(HTMLParser):
    """Collects the tags, their attributes and the text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "link", "img", "br", "hr", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("page")
    (folder / "spec.yaml").write_text(SPEC)
    output("run", folder / "spec.yaml", "--data", folder / "data", "--quiet")
    output("report", "hostile", "--data", folder / "data", "--html", folder / "page.html")
    return (folder / "page.html").read_text("utf-8")


def test_the_page_needs_nothing_from_outside_and_runs_nothing(written: str) -> None:
    found = Tags(written)
    assert not found.open, "every element is closed"
    assert not {"script", "link", "img", "iframe", "object"} & set(found.tags)
    assert not [name for name, _ in found.attributes if name in ("src", "href", "srcset") or name.startswith("on")]
    assert not re.search(r"url\(|@import|https?://", written)


def test_values_of_the_spec_are_shown_as_they_are(written: str) -> None:
    texts = Tags(written).texts
    assert "<script>alert(1)</script>" in texts
    assert 'a & b "quoted"' in texts


def test_the_page_tells_what_the_report_tells(written: str) -> None:
    texts = Tags(written).texts
    assert "finished, 20 of 20 items done" in texts
    assert {"Outcomes", "Coverage", "Pairs of axes", "genre and place", "Texts of row", "Variety"} <= set(texts)
    assert "prefers-color-scheme: dark" in written
    assert "@media print" in written


def test_a_page_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(SPEC)
    output("run", tmp_path / "spec.yaml", "--data", tmp_path / "data", "--quiet")
    result = invoke("report", "hostile", "--data", tmp_path / "data", "--html", tmp_path / "no" / "page.html")
    assert "cannot be written" in str(result.exception)


@given(st.text(), st.text())
def test_any_text_comes_back_as_text(title: str, text: str) -> None:
    found = Tags(page(title, tag("p", text, class_=text)))
    assert found.tags.count("p") == 1
    assert not found.open


@given(
    st.lists(st.integers(0, 10**9), max_size=30),
    st.floats(0, 1),
    st.floats(0.001, 1),
    st.lists(st.lists(st.integers(0, 5), min_size=3, max_size=3), min_size=1, max_size=4),
)
def test_no_shape_lies_outside_of_its_plot(
    counts: list[int], share: float, whole: float, cells: list[list[int]]
) -> None:
    rows = [f"row {number}" for number in range(len(cells))]
    for plot in (
        histogram(0, 10, counts, "characters"),
        stacked_bar(dict(zip("abcd", counts, strict=False))),
        bar(share, mark=share, whole=whole),
        cell_map(rows, ["a", "b", "c"], cells, cells),
    ):
        for shape in plot.iter("rect"):
            x, y = float(shape.get("x", "0")), float(shape.get("y", "0"))
            assert -0.01 <= x <= x + float(shape.get("width", "0")) <= float(plot.get("width", "0")) + 1.1
            assert -0.01 <= y <= y + float(shape.get("height", "0")) <= float(plot.get("height", "0")) + 0.1
