"""HTML as a tree of elements, and the frame of a page.

Rules of this file: text is always escaped, because only the tree's writer makes markup; a page holds everything it
shows, runs no script, follows the reader's light or dark, and can be printed.
"""

import re
from importlib.resources import files
from xml.etree import ElementTree as ET

Node = ET.Element
Child = Node | str | None

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def tag(name: str, /, *children: Child, **attributes: object) -> Node:
    """Return an element.

    Args:
        name: of the element.
        children: elements and texts, in order; None is nothing.
        attributes: `class_` for `class`, `_` for `-`.
    """
    named = {key.rstrip("_").replace("_", "-"): _clean(str(value)) for key, value in attributes.items()}
    node = ET.Element(name, named)
    for child in children:
        if isinstance(child, str):
            _append_text(node, _clean(child))
        elif child is not None:
            node.append(child)
    return node


def page(title: str, *content: Child) -> str:
    """Return a whole page."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", STYLE),
    )
    root = tag("html", head, tag("body", tag("main", *content)), lang="en")
    return "<!doctype html>\n" + ET.tostring(root, encoding="unicode", method="html") + "\n"


def table(header: list[str], rows: list[list[Child]], numbers: int = 1) -> Node:
    """Return a table; from column `numbers` on, cells are figures."""
    return tag(
        "div",
        tag(
            "table",
            tag("thead", tag("tr", *(_cell("th", name, place >= numbers) for place, name in enumerate(header)))),
            tag("tbody", *(tag("tr", *(_cell("td", c, n >= numbers) for n, c in enumerate(row))) for row in rows)),
        ),
        class_="scroll",
    )


def _cell(name: str, content: Child, is_figure: bool) -> Node:
    return tag(name, content, **({"class_": "figure"} if is_figure else {}))


def _clean(text: str) -> str:
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)


def _append_text(node: Node, text: str) -> None:
    if len(node):
        node[-1].tail = (node[-1].tail or "") + text
    else:
        node.text = (node.text or "") + text


STYLE = (files("corpusmill.pages") / "style.css").read_text("utf-8")
