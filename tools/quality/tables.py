"""The tables of docs/quality.md, from figures to Markdown."""

import statistics

from kit import page, painter
from kit.page import said
import sizes


def cell(found):
    """Style and content of one picture."""
    return f"{page.number(found['style'])} / {page.number(found['content'])}"


def mean(verdicts):
    """{"style", "content"}, means over figures."""
    verdicts = list(verdicts)
    return {key: statistics.fmean(found[key] for found in verdicts)
            for key in ("style", "content")}


# -------------------------------------------------------------------------------------- cells --

def cells_table(verdicts):
    """verdicts: {(photo, painting): figures}. Photos are rows, paintings columns; means go last."""
    photos = list(dict.fromkeys(photo for photo, _ in verdicts))
    paintings = list(dict.fromkeys(painting for _, painting in verdicts))
    rows = []
    for photo in photos:
        found = [verdicts.get((photo, painting)) for painting in paintings]
        rows.append([said(photo), *(cell(one) if one else "" for one in found),
                     cell(mean(filter(None, found)))])
    columns = [mean(found for (_, its), found in verdicts.items() if its == painting)
               for painting in paintings]
    rows.append(["**mean**", *map(cell, columns), cell(mean(verdicts.values()))])
    return page.table(["style / content", *map(said, paintings), "**mean**"], rows)


def layers_table(named):
    """named: {what: {(photo, painting): figures}}. Means over all cells, layer by layer."""
    rows = []
    for name, verdicts in named.items():
        found = list(verdicts.values())
        rows.append([name, page.number(mean(found)["style"]),
                     page.number(max(one["style"] for one in found)),
                     *(page.number(statistics.fmean(one["layers"][layer] for one in found))
                       for layer in found[0]["layers"]), page.number(mean(found)["content"])])
    return page.table(["mean of cells", "style", "worst style", *found[0]["layers"], "content"],
                      rows)


def cells_part(conditions, kinds):
    """kinds: [{"label", "size", "span": seconds in words, "verdicts"}], the built-in network's
    first."""
    blocks = [f"{painter.measured(conditions)}."]
    for kind in kinds:
        blocks += [f"**{kind['label']}**, {len(kind['verdicts'])} pictures, longest side "
                   f"{kind['size']} pixels, {kind['span']} s each:", cells_table(kind["verdicts"])]
    blocks.append(layers_table({f"{kind['label']}, {kind['size']} pixels": kind["verdicts"]
                                for kind in kinds}))
    return "\n\n".join(blocks)


# ------------------------------------------------------------------------------------ contest --

def contest_table(entries, results):
    """results: {pair's name: {entry's name: figures with "iterations" and "seconds", or a text
    that says why it was not run}}."""
    rows, marks = [], {}
    for entry in entries:
        row = [found[entry.name] for found in results.values()]
        run = [found for found in row if not isinstance(found, str)]
        label = entry.label
        if entry.note:
            marks[entry.note] = marks.get(entry.note, "\\*" * (len(marks) + 1))
            label += marks[entry.note]
        texts = [f"not run: {found}" if isinstance(found, str) else cell(found) for found in row]
        tail = ["", "", ""]
        if run:
            tail = [cell(mean(run)),
                    *(page.number(statistics.fmean(found[key] for found in run))
                      for key in ("iterations", "seconds"))]
        rows.append([label, *texts, *tail])
    head = ["recipe", *(said(name.replace("__", ", ")) for name in results), "**mean**",
            "iterations", "seconds"]
    notes = [f"{mark} {note[0].upper()}{note[1:]}." for note, mark in marks.items()]
    return "\n\n".join([page.table(head, rows), *notes])


def contest_part(conditions, entries, results, shown):
    return "\n\n".join([
        f"{conditions['seconds']:g} s each, by `--seconds`, longest side {conditions['size']} "
        f"pixels, {painter.measured(conditions)}. Style / content:",
        contest_table(entries, results),
        f"![photo, painting, and what each recipe made of them]({shown})"])


# -------------------------------------------------------------------------------------- sizes --

def sizes_table(found):
    """found: {size: figures}. Layer by layer, what each size's picture is to the judge."""
    first, *_ = found.values()
    rows = [[layer, *(page.number(one["layers"][layer]) for one in found.values()),
             page.number(sizes.spread([one["layers"][layer] for one in found.values()]))]
            for layer in first["layers"]]
    for key in ("style", "content"):
        values = [one[key] for one in found.values()]
        rows.append([f"**{key}**", *map(page.number, values), page.number(sizes.spread(values))])
    return page.table(["painted at", *map(str, found), "spread"], rows)


def differences_table(found):
    """Each size against each: the mean of the layers' relative differences."""
    rows = [[str(size), *(page.number(sizes.difference(one["layers"], other["layers"]))
                          for other in found.values())] for size, one in found.items()]
    return page.table(["", *map(str, found)], rows)


def sizes_part(conditions, pair, found, seconds, shown):
    """seconds: {size: of painting}."""
    took = ", ".join(f"{value:.1f} s at {size}" for size, value in seconds.items())
    return "\n\n".join([
        f"{said(pair.photo.stem)} as {said(pair.painting.stem)}, all judged at "
        f"{conditions['seen_at']} pixels, {painter.measured(conditions)}; painting took {took}.",
        sizes_table(found), "Relative differences of the layers' losses, mean of the layers:",
        differences_table(found),
        f"![above all shrunk to one size, below the middle of each pixel for pixel]({shown})"])
