"""Which files a pattern means, and that none is ever outside."""

import os
from pathlib import Path

import pytest

from corpusmill.space.documents.faults import FaultError
from corpusmill.space.documents.places import Base, opened
from corpusmill.spec.errors import SpecError
from tests.space.documents.shelf import folder_of


@pytest.fixture
def base(tmp_path: Path) -> Base:
    return Base(
        {
            "": folder_of(
                tmp_path, a_txt="", b_md="", n__c_txt="", n__m__d_txt="", n__o__e_txt="", n___f_txt="", z_txt=""
            )
        }
    )


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("a.txt", ["a.txt"]),
        ("./n//c.txt", ["n/c.txt"]),
        ("*.txt", ["a.txt", "z.txt"]),
        ("[ab].*", ["a.txt", "b.md"]),
        ("?.md", ["b.md"]),
        ("*/*.txt", ["n/c.txt"]),
        ("n/.*", ["n/.f.txt"]),
        ("**/*.txt", ["a.txt", "z.txt", "n/c.txt", "n/m/d.txt", "n/o/e.txt"]),
        ("n/**", ["n/c.txt", "n/m/d.txt", "n/o/e.txt"]),
        ("n/**/e.txt", ["n/o/e.txt"]),
        ("nothing/*", []),
        ("gone.txt", []),
        ("n", []),
    ],
)
def test_a_pattern_means_files_in_the_order_of_their_names(base: Base, pattern: str, names: list[str]) -> None:
    assert [place.name for place in base.expanded(pattern, "p")] == names
    assert [base.place(name).path for name in names] == [place.path for place in base.expanded(pattern, "p")]


@pytest.mark.parametrize(
    "pattern", ["/etc/passwd", "../x", "n/../../x", "n/..", "~/x", "a\\b", "a\0b", ".", "//etc/passwd"]
)
def test_a_name_that_leaves_the_folder_is_refused(base: Base, pattern: str) -> None:
    with pytest.raises(SpecError, match="is not a name inside the folder of the spec") as caught:
        list(base.expanded(pattern, "space.documents.note.files"))
    assert caught.value.path == "space.documents.note.files"


def test_with_roots_a_name_begins_with_one_of_them(tmp_path: Path) -> None:
    folder_of(tmp_path, notes__a_txt="", secret_txt="")
    base = Base({"notes": tmp_path / "spec" / "notes"})
    assert [place.name for place in base.expanded("notes/*.txt", "p")] == ["notes/a.txt"]
    with pytest.raises(SpecError, match=r"`note` is no root, .*; did you mean `notes`\?"):
        list(base.expanded("note/*.txt", "p"))
    with pytest.raises(SpecError, match=r"`posts\.csv` is no root, .*; none is configured"):
        list(Base({}).expanded("posts.csv", "p"))
    with pytest.raises(SpecError, match="inside the roots of this service"):
        list(base.expanded("notes/../secret.txt", "p"))
    with pytest.raises(FaultError, match="no root 'gone'"):
        base.place("gone/a.txt")


def test_links_that_leave_the_folder_are_not_followed(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, inside_txt="in")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_text("out")
    (folder / "file.txt").symlink_to(tmp_path / "outside" / "secret.txt")
    (folder / "folder").symlink_to(tmp_path / "outside")
    (folder / "within.txt").symlink_to(folder / "inside.txt")
    base = Base({"": folder})
    assert [place.name for place in base.expanded("**/secret.txt", "p")] == []
    for name in ("file.txt", "folder/secret.txt"):
        [place] = base.expanded(name, "p")
        with pytest.raises(FaultError, match="outside"):
            opened(place)
    [place] = base.expanded("within.txt", "p")
    descriptor = opened(place)
    assert os.read(descriptor, 10) == b"in"
    os.close(descriptor)


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    os.mkfifo(folder / "pipe")
    [place] = Base({"": folder}).expanded("*", "p")
    with pytest.raises(FaultError, match="no regular file"):
        opened(place)
    (folder / "pipe").unlink()
    with pytest.raises(FaultError, match="vanished"):
        opened(place)
