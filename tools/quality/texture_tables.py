"""The tables of textures.py, from figures to Markdown. Rows are {"texture", "way", figures ...}."""

import math
import statistics

from kit import page
from kit.page import said
import repetition

DISTANCES = ("style", "sliced", "palette")


def two(value):
    """Two decimals, or nothing for nothing."""
    return "" if value is None else f"{value:.2f}"


def yes(value):
    return "yes" if value else "no"


def mean(rows, key):
    """Arithmetic, of those that have the figure; None where none has."""
    values = [row[key] for row in rows if row[key] is not None]
    return statistics.fmean(values) if values else None


def typical(rows, key):
    """Geometric: ratios count alike whichever way they go."""
    return math.exp(statistics.fmean(math.log(max(row[key], 1e-12)) for row in rows))


def grouped(rows, *keys):
    """{(values of the keys): [rows]} in the order in which they come."""
    found = {}
    for row in rows:
        found.setdefault(tuple(row[key] for key in keys), []).append(row)
    return found


def label(row):
    """The way, with the flag that the part gives it."""
    return f"`{row['way']} {row['flag']}`" if row["flag"] else f"`{row['way']}`"


def textures(rows):
    head = ["texture", "way", "kept across", "kept down", "repeat (exemplar's)", *DISTANCES,
            "seconds"]
    lines = [[said(row["texture"]), f"`{row['way']}`", two(row["across"]), two(row["down"]),
              f"{two(row['repeat'])} ({two(row['exemplar_repeat'])})",
              *(page.number(row[key]) for key in DISTANCES), f"{row['seconds']:.1f}"]
             for row in rows]
    lines += [["**mean**", f"`{way}`", two(mean(its, "across")), two(mean(its, "down")), "",
               *(page.number(typical(its, key)) for key in DISTANCES),
               f"{mean(its, 'seconds'):.1f}"] for (way,), its in grouped(rows, "way").items()]
    return page.table(head, lines)


def seam(found):
    """Standard deviations above the mean of the steps inside, and their share that is no larger."""
    return f"{found['z']:+.1f} ({100 * found['share']:.0f} %)"


def meets(row):
    """Whether both of its seams are within the spread of the steps inside."""
    return all(found["within"] for found in row["seams"].values())


def tileable(rows):
    head = ["texture", "way", *(f"seam {axis}" for axis in repetition.AXES), "within the spread",
            "kept across", "kept down", "sliced"]
    lines = [[said(row["texture"]), label(row),
              *(seam(row["seams"][axis]) for axis in repetition.AXES), yes(meets(row)),
              two(row["across"]), two(row["down"]), page.number(row["sliced"])] for row in rows]
    lines += [["**all**", label(its[0]), "", "", f"{sum(map(meets, its))} of {len(its)}",
               two(mean(its, "across")), two(mean(its, "down")),
               page.number(typical(its, "sliced"))]
              for its in grouped(rows, "way", "flag").values()]
    return page.table(head, lines)


def symmetry(rows):
    head = ["texture", "symmetry", "way", "error (exemplar's)", "style", "sliced"]
    return page.table(head, [
        [said(row["texture"]), row["kind"], label(row),
         f"{page.number(row['error'])} ({page.number(row['exemplar_error'])})",
         page.number(row["style"]), page.number(row["sliced"])] for row in rows])


def inpainting(rows, opencv):
    """opencv: whether it was there."""
    head = ["texture", "by", "error", "alike", "phase", "best shift down, right", "sliced",
            "known pixels kept", "seconds"]
    lines = [[said(row["texture"]), row["way"], two(row["error"]), two(row["alike"]),
              two(row["phase"]), ", ".join(map(str, row["shift"] or ())),
              page.number(row["sliced"]), yes(row["kept"]), f"{row['seconds']:.1f}"]
             for row in rows]
    lines += [["**mean**", way, *(two(mean(its, key)) for key in ("error", "alike", "phase")), "",
               page.number(typical(its, "sliced")),
               f"{sum(row['kept'] for row in its)} of {len(its)}", f"{mean(its, 'seconds'):.1f}"]
              for (way,), its in grouped(rows, "way").items()]
    text = page.table(head, lines)
    if not opencv:
        text += "\n\nWithout OpenCV's ways: its Python module (python3-opencv) is not installed."
    return text
