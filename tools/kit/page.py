"""Markdown that tools write, and where it goes: between two marks in a page that others write."""

import pathlib


def marks(maker):
    return f"<!-- {maker} writes what follows -->", f"<!-- {maker} wrote what is above -->"


def spliced(text, part, maker):
    """The page with everything between the maker's marks replaced. Raises ValueError where the
    marks are not both there, once and in order."""
    begin, end = marks(maker)
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise ValueError(f"the page should have the lines\n{begin}\n{end}\nonce and in this order, "
                         "for the results to go between them")
    before, after = text[:text.index(begin)], text[text.index(end):]
    return f"{before}{begin}\n\n{part.strip()}\n\n{after}"


def splice(path, part, maker):
    """Puts the part into the page; a page that is not there yet is made of it alone."""
    path = pathlib.Path(path)
    text = path.read_text() if path.exists() else "\n".join((*marks(maker), ""))
    path.write_text(spliced(text, part, maker))


def table(head, rows):
    return "\n".join(["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)])


def number(value):
    """Three digits that count."""
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    exponent = int(f"{value:.2e}".partition("e")[2])
    return f"{value:.{max(0, 2 - exponent)}f}"


def said(name):
    """A file's name as words."""
    return name.replace("_", " ")
