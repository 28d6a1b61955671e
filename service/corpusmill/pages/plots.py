"""Plots as SVG elements: bars, a histogram, a map of cells.

Rule of this file: figures in, elements out; colours are classes, which the page's style gives light and dark; what a
shape means is told in its title.
"""

from collections.abc import Mapping, Sequence

from corpusmill.pages.html import Node, tag

WIDTH = 640


def stacked_bar(parts: Mapping[str, int]) -> Node:
    """Return one bar of parts; their names are the classes of their colours."""
    whole, x = sum(parts.values()) or 1, 0.0
    shapes = []
    for name, count in parts.items():
        width = WIDTH * count / whole
        shapes.append(_rect(x, 0, width, 28, name, f"{name}: {count:,} ({count / whole:.1%})"))
        x += width
    return _svg(WIDTH, 28, shapes, "items by outcome", class_="wide", preserveAspectRatio="none")


def swatch(class_: str) -> Node:
    """Return a square of a colour, for a legend."""
    return _svg(11, 11, [tag("rect", width=11, height=11, rx=2, class_=class_)], class_)


def bar(share: float, *, class_: str = "kept", mark: float | None = None, whole: float = 1.0) -> Node:
    """Return a bar of a share of the `whole`, with a mark where it was expected to end."""
    width = 150
    shapes = [
        tag("rect", y=3, width=width, height=8, rx=2, class_="track"),
        tag("rect", y=3, width=_n(width * min(share / whole, 1.0)), height=8, rx=2, class_=class_),
    ]
    if mark is not None:
        shapes.append(tag("rect", x=_n(max(width * min(mark / whole, 1.0) - 1, 0)), width=2, height=14, class_="mark"))
    told = f"{share:.1%}" if mark is None else f"{share:.1%}, expected {mark:.1%}"
    return _svg(width, 14, [tag("title", told), *shapes], told)


def histogram(start: int, bin_width: int, counts: Sequence[int], unit: str) -> Node:
    """Return columns of counts over equal bins."""
    width, height, most = 480, 130, max(counts, default=0) or 1
    step = width / max(len(counts), 1)
    shapes = []
    for place, count in enumerate(counts):
        low = start + place * bin_width
        tall = height * count / most
        told = f"{low:,} to {low + bin_width - 1:,} {unit}: {count:,}"
        shapes.append(_rect(place * step, height - tall, max(step - 1.5, 0.5), tall, "kept", told))
    end = start + len(counts) * bin_width
    base = [
        tag("rect", y=height, width=width, height=1, class_="mark"),
        tag("text", f"{start:,}", x=0, y=height + 15),
        tag("text", f"{(start + end) // 2:,} {unit}", x=width / 2, y=height + 15, text_anchor="middle"),
        tag("text", f"{end:,}", x=width, y=height + 15, text_anchor="end"),
    ]
    return _svg(width, height + 20, [*shapes, *base], f"histogram of {unit}")


def cell_map(
    rows: Sequence[str], columns: Sequence[str], kept: Sequence[Sequence[int]], decided: Sequence[Sequence[int]]
) -> Node:
    """Return a map of cells: the fuller the colour, the more kept items; a frame only where none was tried."""
    size = 22 if len(columns) <= 16 else 12
    left, top = 150, 92
    most = max((count for row in kept for count in row), default=0) or 1
    shapes: list[Node] = []
    for across, name in enumerate(columns):
        x = left + across * size + size / 2 + 4
        shapes.append(tag("text", _short(name, 17), transform=f"translate({_n(x)} {top - 6}) rotate(-55)"))
    for down, name in enumerate(rows):
        y = top + down * size
        shapes.append(tag("text", _short(name, 21), x=left - 6, y=_n(y + size / 2 + 4), text_anchor="end"))
        for across, column in enumerate(columns):
            told = f"{name}, {column}: {kept[down][across]:,} kept of {decided[down][across]:,}"
            shapes.append(_cell(left + across * size, y, size, kept[down][across] / most, decided[down][across], told))
    return _svg(left + len(columns) * size + 60, top + len(rows) * size + 4, shapes, "kept items by two axes")


def _cell(x: float, y: float, size: int, share: float, decided: int, told: str) -> Node:
    place = {"x": _n(x + 0.5), "y": _n(y + 0.5), "width": size - 2, "height": size - 2, "rx": 2}
    if not decided:
        return tag("rect", tag("title", told), class_="empty", **place)
    if not share:
        return tag("rect", tag("title", told), class_="failed", **place)
    return tag("rect", tag("title", told), class_="kept", fill_opacity=_n(0.15 + 0.85 * share), **place)


def _rect(x: float, y: float, width: float, height: float, class_: str, told: str) -> Node:
    shape = {"x": _n(x), "y": _n(y), "width": _n(width), "height": _n(height)}
    return tag("rect", tag("title", told), class_=class_, **shape)


def _svg(width: float, height: float, shapes: Sequence[Node], told: str, **attributes: str) -> Node:
    size = {**attributes, "width": _n(width), "height": _n(height), "viewBox": f"0 0 {_n(width)} {_n(height)}"}
    return tag("svg", *shapes, role="img", aria_label=told, **size)


def _short(text: str, chars: int) -> str:
    return text if len(text) <= chars else text[: chars - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _n(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
