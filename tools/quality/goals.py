"""What is asked of the built-in network, whether it is met, and the results as Markdown."""

import math
import statistics

from kit import painter
from kit.page import number, table

JUDGE = "tools/quality/judge.py"  # between whose marks the results go

MOST_STYLE = 2.5  # times VGG-19's at equal iterations: the goal
REFERENCE = "vgg19"
NOT_JUDGED = (REFERENCE, "random")  # the networks that goals are not about

DEFINITIONS = """\
Each figure is measured on the picture as written, by VGG-19 in PyTorch. *Style*: the squared
distance of the picture's Gram matrices from the painting's, relative to that of the unpainted
photo, mean of relu1_1 to relu5_1 (1: not painted at all; 0: the painting itself). *Content*: the
squared distance from the photo at relu4_2, relative to that of a picture of noise. *Objective*:
what recipe `limn` with VGG-19 minimises, relative to the unpainted photo's. *Cast*: the difference
of the mean colours of picture and painting, in steps of 255. *Grain*: energy of the finest
Laplacian band relative to the painting's; a fault would make it much larger than VGG-19's.
*Seconds* are those of the whole command. *Cores* are processor time over that: less than the
machine has tells of a way that does not use them all, or of a machine that had other work."""


# ------------------------------------------------------------------------------------ figures --

def means(results, pairs=None):
    """{way: {figure: mean over pairs}}, with the worst style ("worst") and its pair, and the means
    of the layers."""
    chosen = [pair for name, pair in results["pairs"].items() if pairs is None or name in pairs]
    found = {}
    for way in results["ways"]:
        rows = [pair["ways"][way] for pair in chosen]
        keys = [key for key, value in rows[0].items() if isinstance(value, (int, float))]
        found[way] = {key: statistics.fmean(row[key] for row in rows) for key in keys}
        found[way]["worst"] = max(row["style"] for row in rows)
        found[way]["layers"] = {layer: statistics.fmean(row["layers"][layer] for row in rows)
                                for layer in rows[0]["layers"]}
    return found


def compared(results, ours, theirs, figure):
    """How the figure of one way stands to that of another: "ours" and "theirs", means over the
    pairs, the "ratio" of these means, the geometric mean of the pairs' ratios ("typical"), the
    largest ("worst") with its "pair", and in how many pairs ours is "lower"."""
    rows = {name: (pair["ways"][ours][figure], pair["ways"][theirs][figure])
            for name, pair in results["pairs"].items()}
    ratios = {name: a / max(b, 1e-300) for name, (a, b) in rows.items()}
    a, b = (statistics.fmean(column) for column in zip(*rows.values()))
    worst = max(ratios, key=ratios.get)
    logs = [math.log(max(ratio, 1e-300)) for ratio in ratios.values()]
    return {"figure": figure, "ours": a, "theirs": b, "ratio": a / max(b, 1e-300),
            "typical": math.exp(statistics.fmean(logs)),
            "worst": ratios[worst], "pair": worst, "pairs": len(rows),
            "lower": sum(ratio < 1 for ratio in ratios.values())}


def goals(results):
    """[{"goal", "way", "limit", "met", ...compared}] for each network that VGG-19 is compared
    with. Met, where the ratio of the means over all pairs is within the limit."""
    found = []
    for way, row in results["ways"].items():
        against = [other for other, its in results["ways"].items()
                   if its["network"] == REFERENCE and its["budget"] == row["budget"]]
        if row["network"] in NOT_JUDGED or not against:
            continue
        if row["seconds"]:
            asked = [("style", 1.0), ("objective", 1.0)]
        else:
            asked = [("style", MOST_STYLE)]
        for figure, limit in asked:
            measured = compared(results, way, against[0], figure)
            limits = f"at most {limit:g} times" if limit > 1 else "lower than"
            found.append({"goal": f"{figure} after {row['budget']} {limits} VGG-19's",
                          "way": way, "limit": limit,
                          "met": measured["ratio"] <= limit if limit > 1 else measured["ratio"] < 1,
                          **measured})
    return found


# ------------------------------------------------------------------------------------- tables --

def goals_table(results):
    rows = [[results["ways"][goal["way"]]["network"], goal["goal"],
             f"{number(goal['ours'])} against {number(goal['theirs'])}", number(goal["ratio"]),
             f"{number(goal['typical'])}, {number(goal['worst'])} ({goal['pair']})",
             f"{goal['lower']} of {goal['pairs']}", "met" if goal["met"] else "not met"]
            for goal in goals(results)]
    return table(["network", "goal", "means", "ratio", "ratios of pairs: geometric mean, worst",
                  "lower in", ""], rows) if rows else ""


def ways_table(results, pairs=None):
    rows = []
    for way, mean in means(results, pairs).items():
        rows.append([results["ways"][way]["label"], number(mean["style"]), number(mean["worst"]),
                     *(number(value) for value in mean["layers"].values()),
                     number(mean["content"]), number(mean["objective"]), number(mean["cast"]),
                     number(mean["grain"]), number(mean["iterations"]), number(mean["seconds"]),
                     f"{mean['processor_seconds'] / mean['seconds']:.1f}"])
    layers = [layer.replace("relu", "") for layer in mean["layers"]]
    return table(["mean of pairs", "style", "worst style", *layers, "content", "objective", "cast",
                  "grain", "iterations", "seconds", "cores"], rows)


def pairs_table(results):
    cell = lambda row: (f"{number(row['style'])} / {number(row['content'])}, "
                        f"{row['seconds']:.1f} s")
    rows = [[f"{pair['photo_name']}, {pair['painting_name']}" + ("\\*" if pair["seen"] else ""),
             *(cell(pair["ways"][way]) for way in results["ways"])]
            for pair in results["pairs"].values()]
    rows.append(["**mean**", *(cell(mean) for mean in means(results).values())])
    return table(["photo, painting", *(way["label"] for way in results["ways"].values())], rows)


def part(results):
    """All of it, as Markdown."""
    pairs, conditions = results["pairs"], results["conditions"]
    blocks = [f"{counted(len(pairs), 'pair')} of photo and painting, longest side "
              f"{conditions['size']} pixels, {painter.measured(conditions)}."
              + flags_said(conditions),
              goals_table(results), DEFINITIONS, ways_table(results)]
    unseen = [name for name, pair in pairs.items() if not pair["seen"]]
    blocks.append("Style / content and seconds of each pair:\n\n" + pairs_table(results))
    if 0 < len(unseen) < len(pairs):
        blocks.append("\\* Photo or painting is among the pictures that training may have seen. "
                      f"{counted(len(unseen), 'other pair')} alone:\n\n"
                      + ways_table(results, unseen))
    elif not unseen:
        blocks.append("\\* Photo or painting is among the pictures that training may have seen.")
    return "\n\n".join(block for block in blocks if block)


def counted(count, thing):
    return f"{count} {thing}{'' if count == 1 else 's'}"


def flags_said(conditions):
    return f" limn was also given `{' '.join(conditions['flags'])}`." if conditions["flags"] else ""
