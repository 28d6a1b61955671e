"""Axis files: their values end up in the spec, and whatever is wrong with a file is told at its axis."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.space import files
from corpusmill.space.files import inline_axis_files
from corpusmill.spec.errors import SpecError
from corpusmill.spec.schema import Axis, Example, JobSpec, Scalar, SpaceSpec, Step


def job(**axes: list[Scalar] | Axis) -> JobSpec:
    return JobSpec(
        name="job",
        space=SpaceSpec(axes=axes),
        steps=[Step(name="plot", prompt="Write.")],
        examples=[Example(name="plot", prompt="Write.", completion="{{ plot }}")],
    )


def inlined(folder: Path, content: bytes, name: str = "places.txt") -> list[Scalar] | Axis:
    (folder / name).write_bytes(content)
    return inline_axis_files(job(place=Axis(file=name)), folder).space.axes["place"]


def problem(folder: Path, name: str = "places.txt", **fields: object) -> str:
    with pytest.raises(SpecError) as caught:
        inline_axis_files(job(place=Axis(file=name, **fields)), folder)  # type: ignore[arg-type]  # as in product_spec
    assert caught.value.path == "space.axes.place.file"
    return caught.value.problem


LINES = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"])).map(str.strip).filter(bool)


@given(
    values=st.lists(LINES, min_size=1, unique=True),
    bom=st.booleans(),
    ending=st.sampled_from(["\n", "\r\n", " \n\n\t"]),
)
def test_one_value_a_line_whatever_surrounds_it(
    tmp_path_factory: pytest.TempPathFactory, values: list[str], bom: bool, ending: str
) -> None:
    text = ending.join(values) + ending
    content = text.encode("utf-8-sig" if bom else "utf-8")
    if not bom and content.startswith(b"\xef\xbb\xbf"):
        content = b"\n" + content
    assert inlined(tmp_path_factory.mktemp("axis"), content) == values


def test_the_rest_of_the_spec_stays(tmp_path: Path) -> None:
    (tmp_path / "places.txt").write_text("Rome\nParis\n")
    before = job(genre=["noir"], place=Axis(file="places.txt"), tone=Axis(values={"grim": 2}))
    after = inline_axis_files(before, tmp_path)
    assert after == job(genre=["noir"], place=["Rome", "Paris"], tone=Axis(values={"grim": 2}))
    assert list(after.space.axes) == ["genre", "place", "tone"]


def test_a_file_in_a_folder_below_is_read(tmp_path: Path) -> None:
    (tmp_path / "axes").mkdir()
    assert inlined(tmp_path, b"Rome", "axes/places.txt") == ["Rome"]


def test_a_missing_file(tmp_path: Path) -> None:
    assert problem(tmp_path) == "there is no file `places.txt` in the folder of the spec"


def test_a_directory(tmp_path: Path) -> None:
    (tmp_path / "places.txt").mkdir()
    assert problem(tmp_path) == "`places.txt` is a directory"


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "places.txt")
    assert problem(tmp_path) == "`places.txt` is not a regular file"


def test_an_unreadable_file(tmp_path: Path) -> None:
    (tmp_path / "places.txt").symlink_to("places.txt")
    assert problem(tmp_path).startswith("`places.txt` cannot be read: Too many levels of symbolic links")


def test_a_name_that_no_file_can_have(tmp_path: Path) -> None:
    assert problem(tmp_path, "a\0b") == "`a\\u0000b` cannot be read: not a file name"
    assert problem(tmp_path, "a" * 1000).endswith("cannot be read: File name too long")


@pytest.mark.parametrize("name", ["../secret.txt", "link.txt", "{outside}/secret.txt"])
def test_nothing_outside_the_folder_is_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    folder = tmp_path / "spec"
    folder.mkdir()
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    assert "lies outside the folder of the spec" in problem(folder, name.format(outside=tmp_path))


@pytest.mark.parametrize("content", [b"", b"\n \r\n\t\n", b"\xef\xbb\xbf"])
def test_an_empty_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "places.txt").write_bytes(content)
    assert problem(tmp_path) == "`places.txt` has no values: it is empty"


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_text_that_is_not_utf_8_is_told_by_line_and_byte(tmp_path: Path, start: bytes) -> None:
    (tmp_path / "places.txt").write_bytes(start + "Rome\nParis\nKöln\n".encode("latin-1"))
    assert problem(tmp_path) == "`places.txt` is not UTF-8: line 3, byte 2 of it is 0xf6"


def test_a_value_that_stands_there_twice(tmp_path: Path) -> None:
    (tmp_path / "places.txt").write_text("Rome\n\nParis\n Rome \n")
    assert problem(tmp_path) == "`places.txt` has `Rome` twice, in lines 1 and 4"


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    with (tmp_path / "places.txt").open("wb") as file:
        file.truncate(files.MAX_FILE_BYTES + 1)
    assert problem(tmp_path) == "`places.txt` is larger than 64 MiB"


def test_a_file_with_too_many_lines(tmp_path: Path) -> None:
    (tmp_path / "places.txt").write_bytes(b"\n" * (files.MAX_FILE_LINES + 1))
    assert problem(tmp_path) == "`places.txt` has more than 5,000,000 lines"


def test_a_file_and_values_contradict_each_other(tmp_path: Path) -> None:
    (tmp_path / "places.txt").write_text("Rome")
    assert "neither `values` nor `within`" in problem(tmp_path, values=["Paris"])
    assert "neither `values` nor `within`" in problem(tmp_path, within="country")
