"""The settings that NNST and STROTSS were published with, and whether a recipe has them.

A recipe is what `limn recipes show NAME` prints. What it leaves out has limn's neutral value
(docs/recipes.md). STAGES has for each system its stages in order, and for each of these what its
keys should say; OF_ALL is what holds in all stages.
"""

import math
import tomllib

from matching import NNST_LAYERS, STROTSS_LAYERS

NEUTRAL = {
    "content.weight": 0.0, "style.weight": 0.0, "total_variation.weight": 0.0,
    "neighbours.weight": 0.0, "transport.weight": 0.0, "structure.weight": 0.0,
    "neighbours.every": 0, "neighbours.uses": 0, "neighbours.samples": 0,
    "neighbours.turned": False, "neighbours.photo": 0.0,
    "pyramid.smallest": 0, "pyramid.largest": 0, "pyramid.fall": 1.0, "pyramid.detail": 0.0,
    "balance.kind": "fixed", "optimiser.clip": False, "optimiser.beta1": 0.9,
    "optimiser.beta2": 0.999, "optimiser.epsilon": 1e-8, "optimiser.epsilon_form": "corrected"}

LONGEST = 512
SIZES = (64, 128, 256, 512)


# STROTSS reads the features of torchvision's VGG-16 as they are. The recipe is for weights whose
# input is 0..255, and has layer weights of its own, so only the layers' names are checked. Where
# neighbours.py reads such weights, layers weigh UNIT, the ratio of the inputs: torchvision's is
# 0..1, divided by its deviation.
UNIT = 1 / (255 * 0.225)


def layers(names, weight=1.0):
    return dict.fromkeys(names, weight)


# Keys of recipes and four that follow from them: "sizes", "steps" of each size, "bands", the weight
# of each, and "content over style", the structure's weight over the transport's. Both systems
# change the levels of a Laplacian pyramid, which count alike.
OF_ALL = {
    "nnst": {
        "neighbours.layers": layers(NNST_LAYERS), "neighbours.uses": 0, "content.weight": 0,
        "style.weight": 0, "transport.weight": 0, "structure.weight": 0,
        "total_variation.weight": 0, "balance.kind": "fixed", "optimiser.kind": "adam",
        "optimiser.learning_rate": 2e-3, "optimiser.beta1": 0.9, "optimiser.beta2": 0.999,
        "optimiser.epsilon": 1e-8, "optimiser.epsilon_form": "corrected", "pyramid.detail": 0,
        "picture.size": LONGEST, "picture.init": "content", "picture.colors": "palette",
        "bands": 1},
    "strotss": {
        "transport.layers": frozenset(STROTSS_LAYERS),
        "structure.layers": frozenset(STROTSS_LAYERS),
        "content.weight": 0, "style.weight": 0, "neighbours.weight": 0,
        "total_variation.weight": 0, "balance.kind": "fixed", "optimiser.kind": "rmsprop",
        "optimiser.beta2": 0.99, "optimiser.epsilon": 1e-8, "picture.size": LONGEST,
        "picture.init": "mean", "bands": 1}}


def strotss_stage(size):
    """The content's weight begins at 16 and is halved at each size."""
    last, alpha = size == LONGEST, 16 * SIZES[0] / size
    return {"sizes": (size,), "steps": 250, "content over style": alpha,
            "transport.palette": 1 / alpha, "optimiser.learning_rate": 1e-3 if last else 2e-3,
            "pyramid.detail": 0 if last else 1}


STAGES = {
    "nnst": (
        {"sizes": SIZES, "steps": 200, "neighbours.matching": "hypercolumns",
         "neighbours.distance": "cosine", "neighbours.every": 0, "neighbours.turned": True,
         "neighbours.samples": 0, "neighbours.photo": 0.75},
        {"sizes": (LONGEST,), "steps": 200, "neighbours.matching": "layers",
         "neighbours.distance": "centred-cosine", "neighbours.every": 1,
         "neighbours.turned": False, "neighbours.samples": 64}),
    "strotss": tuple(map(strotss_stage, SIZES))}


def flat(table, before=""):
    """{"optimiser.kind": ...} of tables; layers stay tables."""
    found = {}
    for key, value in table.items():
        if isinstance(value, dict) and key != "layers":
            found.update(flat(value, f"{before}{key}."))
        elif key != "stages":
            found[before + key] = value
    return found


def stages_of(recipe):
    """What each stage of a recipe (tables of TOML) sets, with the recipe's own values and neutral
    ones where it sets nothing."""
    common = {**NEUTRAL, **flat(recipe)}
    return [{**common, **flat(stage)} for stage in recipe.get("stages", [{}])]


def sizes_of(stage):
    """The longest sides of a stage, each about twice the one before."""
    sizes = [stage["pyramid.largest"] or stage["picture.size"]]
    while stage["pyramid.smallest"] and sizes[0] > stage["pyramid.smallest"]:
        sizes.insert(0, sizes[0] // 2)
    return tuple(sizes)


def derived(stage, shares):
    """The stage with the keys that follow from others. shares: of all stages together."""
    sizes, bands = sizes_of(stage), stage.get("pyramid.bands", [])
    steps = stage["optimiser.iterations"] * stage.get("share", 1.0) / shares / len(sizes)
    over = stage["structure.weight"] / (stage["transport.weight"] or math.inf)
    return {**stage, "sizes": sizes, "content over style": over,
            "steps": steps if stage["pyramid.fall"] == 1 else "not all alike",
            "bands": 1 if bands and set(bands) == {1} else bands}


def same(found, wanted):
    if isinstance(wanted, frozenset):
        return isinstance(found, dict) and found.keys() == wanted
    if isinstance(wanted, dict):
        return isinstance(found, dict) and found.keys() == wanted.keys() and \
            all(same(found[key], value) for key, value in wanted.items())
    if isinstance(wanted, (int, float)) and not isinstance(wanted, bool):
        return isinstance(found, (int, float)) and math.isclose(found, wanted, rel_tol=5e-3)
    return found == wanted


def differences(system, text):
    """What of a recipe is not as it was published, in words. text: the recipe's TOML."""
    stages = stages_of(tomllib.loads(text))
    if len(stages) != len(STAGES[system]):
        return [f"{len(stages)} stages, not {len(STAGES[system])}"]
    shares = sum(stage.get("share", 1.0) for stage in stages)
    return [f"stage {i}: {key} is {found.get(key, 'not said')}, not {value}"
            for i, (stage, wanted) in enumerate(zip(stages, STAGES[system]), start=1)
            for found in [derived(stage, shares)]
            for key, value in {**OF_ALL[system], **wanted}.items()
            if not same(found.get(key), value)]
