#!/usr/bin/python3
"""How good limn's textures are: regular, tileable, symmetric, and in the holes of pictures.

  textures.py --limn build/limn --vgg19 vgg19.h5                      all four parts
  textures.py ... --only tileable inpainting --texture bricks gravel  some of them, on some textures
  textures.py ... --way "limn=" "plain=--style-shifts none"           NAME=FLAGS, given to limn

  textures    `limn texture`: whether the exemplar's period is kept, and its statistics
  tileable    the same with and without --tileable: whether the edges meet
  symmetry    without, with --style-symmetry and with --symmetry, of the kinds that textures.txt
              gives: how far the picture is from its image
  inpainting  `limn inpaint` of a hole in the middle of the exemplar, beside OpenCV's ways where
              python3-opencv is installed: error, phase, and whether all known pixels are kept. limn
              is given a picture without what was in the hole

repetition.py and exemplars.py have the arithmetic, textures.txt the exemplars. Each part's table
goes between its two marks in --markdown. What is painted is kept: the same command goes on where
the last one ended. --out receives
  pictures/TEXTURE/WAY.png, .json   the textures, what they took
  PART.json                         every figure
  sheets/PART/sheet-N.jpg           exemplar and textures side by side; tileable ones 3 x 3

Exit status: 0 done; 1 something failed, or a known pixel was changed; 2 bad usage; 130 interrupted.
"""

import dataclasses
import pathlib
import re
import shlex
import sys
import time
import typing

TOOLS = pathlib.Path(__file__).resolve().parents[1]
sys.path[1:1] = [str(TOOLS), str(TOOLS / "train")]
from PIL import Image

from kit import command, page, painter, sheet, vgg
from kit.command import EXAMPLES, say
import exemplars
import repetition
import teacher as teachers
import texture_tables as tables
import texturing

LIST = pathlib.Path(__file__).with_name("textures.txt")
WAYS = {"limn": "", "plain": "--style-shifts none"}
SYMMETRY_FLAGS = ("", "--style-symmetry", "--symmetry")
TILES = 3  # beside and below each other on a sheet


def maker(part):
    """Whose marks the part goes between."""
    return f"tools/quality/textures.py ({part})"


# ------------------------------------------------------------------------------------ judging --
# Each part's function returns its rows of figures and its rows of the sheet.

def texture(options, way, exemplar, *flags):
    """(picture, seconds) of a texture painted so."""
    stem = "".join([way.name, *(f"-{flag.strip('-')}" for flag in flags)])
    picture, record = texturing.painted(
        options.limn, ("texture", exemplar.texture.path, "--size", options.size, *flags), way,
        options.out / "pictures" / exemplar.name / f"{stem}.png")
    say(f"{exemplar.name}, {stem}: {record['seconds']:.1f} s")
    return picture, record["seconds"]


def shown(label, text, picture):
    """A cell of the sheet."""
    return label, text, Image.fromarray(picture)


def first_cell(exemplar):
    return shown(exemplar.name, "exemplar", exemplar.picture)


def judge_textures(options, ways, exemplar):
    rows, cells = [], [first_cell(exemplar)]
    for way in ways:
        picture, seconds = texture(options, way, exemplar)
        found = exemplar.figures(picture)
        rows.append({"texture": exemplar.name, "way": way.name, "seconds": seconds,
                     "exemplar_repeat": exemplar.repeat, **found})
        cells.append(shown(way.name, f"kept {tables.two(found['across']) or '-'}, "
                                     f"{tables.two(found['down']) or '-'}, sliced "
                                     f"{page.number(found['sliced'])}", picture))
    return rows, [cells]


def judge_tileable(options, ways, exemplar):
    rows, cells = [], []
    for way in ways:
        for flag in ("", "--tileable"):
            picture, _ = texture(options, way, exemplar, *filter(None, [flag]))
            L = repetition.luminance(picture)
            seams = {axis: repetition.seam(L, axis) for axis in repetition.AXES}
            rows.append({"texture": exemplar.name, "way": way.name, "flag": flag, "seams": seams,
                         **exemplar.figures(picture)})
            cells.append(shown(f"{exemplar.name}, {way.name} {flag}".strip(),
                               "seams " + ", ".join(map(tables.seam, seams.values())),
                               repetition.tiled(picture, TILES)))
    return rows, [cells]


def judge_symmetry(options, ways, exemplar):
    rows, sheet_rows = [], []
    for kind in exemplar.texture.symmetries:
        cells = [first_cell(exemplar)]
        for way in ways:
            for flag in SYMMETRY_FLAGS:
                picture, _ = texture(options, way, exemplar, *((flag, kind) if flag else ()))
                error = repetition.symmetry_error(picture, kind)
                rows.append({"texture": exemplar.name, "kind": kind, "way": way.name, "flag": flag,
                             "error": error, **exemplar.statistics(picture),
                             "exemplar_error": repetition.symmetry_error(exemplar.picture, kind)})
                cells.append(shown(f"{way.name} {flag}".strip(),
                                   f"{kind}: error {page.number(error)}", picture))
        sheet_rows.append(cells)
    return rows, sheet_rows


def filled(options, ways, exemplar, hole):
    """(blank picture, [(name, filled picture, seconds)]) by each way of limn's and OpenCV's."""
    folder = options.out / "pictures" / exemplar.name / "inpainting"
    given, mask, blank = texturing.write_hole(exemplar.picture, hole, folder)
    found = []
    for way in ways:
        picture, record = texturing.painted(options.limn, ("inpaint", given, "--hole", mask), way,
                                            folder / f"{way.name}.png")
        if picture.shape != blank.shape:
            raise command.Failure(
                "limn inpaint should keep a picture's size, {} x {} pixels, but it wrote {} x {}"
                .format(*blank.shape[1::-1], *picture.shape[1::-1]))
        found.append((f"`{way.name}`", picture, record["seconds"]))
        say(f"{exemplar.name}, hole, {way.name}: {record['seconds']:.1f} s")
    for name, fill in texturing.fillers().items():
        begin = time.monotonic()
        picture = fill(blank, hole.mask(blank.shape))
        found.append((name, picture, time.monotonic() - begin))
    return blank, found


def phase(exemplar, picture, hole):
    """repetition.phase's figures; of an exemplar without a period only how alike they are."""
    L = (repetition.luminance(array) for array in (picture, exemplar.picture))
    periods = [exemplar.periods[axis] or 0 for axis in ("down", "across")]
    found = repetition.phase(*L, hole, *periods)
    return found if any(periods) else found | {"phase": None, "shift": None}


def judge_inpainting(options, ways, exemplar):
    truth, hole = exemplar.picture, repetition.centred_hole(exemplar.picture.shape, options.hole)
    blank, found = filled(options, ways, exemplar, hole)
    rows, cells = [], [first_cell(exemplar), shown("given", "", blank)]
    for name, picture, seconds in found:
        squared, error = repetition.hole_error(picture, truth, hole)
        row = {"texture": exemplar.name, "way": name, "squared": squared, "error": error,
               **phase(exemplar, picture, hole), "seconds": seconds,
               "kept": repetition.known_kept(picture, blank, hole),
               **exemplar.statistics(hole.of(picture))}
        rows.append(row)
        cells.append(shown(name.strip("`"), f"error {row['error']:.2f}, phase "
                                            f"{tables.two(row['phase']) or '-'}", picture))
    return rows, [cells]


@dataclasses.dataclass(frozen=True)
class Part:
    takes: typing.Callable  # whether it is of use for a Texture
    judge: typing.Callable
    table: typing.Callable  # of rows


PARTS = {
    "textures": Part(exemplars.Texture.is_plain, judge_textures, tables.textures),
    "tileable": Part(exemplars.Texture.is_plain, judge_tileable, tables.tileable),
    "symmetry": Part(exemplars.Texture.is_symmetric, judge_symmetry, tables.symmetry),
    "inpainting": Part(exemplars.Texture.is_plain, judge_inpainting,
                       lambda rows: tables.inpainting(rows, texturing.opencv() is not None)),
}


# ---------------------------------------------------------------------------------------- run --

def changed(rows):
    """Who changed known pixels: ["bricks, `limn`", ...]"""
    return [f"{row['texture']}, {row['way']}" for row in rows if not row.get("kept", True)]


def run_part(options, name, ways, chosen):
    """Paints, judges and shows a part; returns what is wrong with it."""
    part, rows, sheet_rows = PARTS[name], [], []
    for exemplar in chosen:
        found = part.judge(options, ways, exemplar)
        rows += found[0]
        sheet_rows += found[1]
        painter.write_json(options.out / f"{name}.json",
                           {"conditions": options.conditions, "rows": rows})
    side = max(max(picture.size) for row in sheet_rows for _, _, picture in row)
    paths = sheet.write_sheets(sheet_rows, side, options.out / "sheets" / name)
    text = (f"Size {options.size}, {painter.measured(options.conditions)}.\n\n"
            f"{part.table(rows)}")
    if options.markdown:
        page.splice(options.markdown, text, maker(name))
    say(f"\n{text}\n\n{', '.join(map(str, paths))}\n")
    return changed(rows)


def run(options, textures):
    ways = [painter.Way(name, tuple(shlex.split(flags)), painter.program_digest(options.limn))
            for name, flags in options.way.items()]
    options.conditions = painter.conditions(options.limn)
    options.out.mkdir(parents=True, exist_ok=True)
    if options.markdown and not options.markdown.exists():
        options.markdown.write_text("\n".join(mark for name in options.only
                                              for mark in (*page.marks(maker(name)), "")))
    vgg.use_all_cores()
    teacher, wrong = teachers.read(options.vgg19), []
    found = [exemplars.Exemplar(its, options.longest, teacher) for its in textures]
    for name in options.only:
        chosen = [exemplar for exemplar in found if PARTS[name].takes(exemplar.texture)]
        if chosen:
            wrong += run_part(options, name, ways, chosen)
        else:
            say(f"{name}: none of the textures is for it")
    if wrong:
        raise command.Failure("known pixels were changed: " + "; ".join(wrong))


def read_options():
    parser = command.parser(__doc__)
    add = parser.add_argument
    add("--limn", required=True, type=command.existing_file, metavar="PROGRAM")
    add("--vgg19", required=True, type=command.existing_file, metavar="FILE",
        help="VGG-19 as Keras publishes it (.h5)")
    add("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART",
        help=f"some of {', '.join(PARTS)}")
    add("--texture", nargs="+", metavar="NAME", help="some of the exemplars")
    add("--in", dest="folder", type=pathlib.Path, default=EXAMPLES / "textures", metavar="FOLDER",
        help="where the exemplars are (examples/textures)")
    add("--list", type=command.existing_file, default=LIST, metavar="FILE", help="textures.txt")
    add("--way", nargs="+", default=[], metavar="NAME=FLAGS", action="extend",
        help="default: " + ", ".join(f"'{name}={flags}'" for name, flags in WAYS.items()))
    add("--size", default="512", metavar="N|WxH", help="of the textures in pixels (512)")
    add("--hole", type=float, default=0.4, metavar="SHARE", help="of each side (0.4)")
    add("--out", type=pathlib.Path, default=pathlib.Path("build/textures"), metavar="FOLDER")
    add("--markdown", type=pathlib.Path, metavar="FILE")
    options = parser.parse_args()
    with command.usage_checked(parser):
        return completed(options)


def completed(options):
    """The options with what follows from them, and the textures. Raises ValueError or OSError for
    whatever can be known to fail before the first picture is painted."""
    if not re.fullmatch(r"\d{2,5}(x\d{2,5})?", options.size):
        raise ValueError("--size should be N or WxH pixels")
    options.longest = max(map(int, options.size.split("x")))
    if not 0 < options.hole < 1:
        raise ValueError("--hole should be between 0 and 1")
    options.limn = options.limn.resolve()
    options.way = command.pairs_of(options.way) if options.way else WAYS
    if options.markdown and options.markdown.exists():
        for part in options.only:
            page.spliced(options.markdown.read_text(), "", maker(part))
    textures, missing = exemplars.read_list(options.list, options.folder)
    if options.texture:
        unknown = set(options.texture) - {its.name for its in textures}
        if unknown:
            raise ValueError(f"there is no texture {', '.join(sorted(unknown))} in "
                             f"'{options.folder}' and '{options.list}'")
        textures = [its for its in textures if its.name in options.texture]
    elif missing:
        say(f"{', '.join(missing)}: not in '{options.folder}', left out")
    if not textures:
        raise ValueError(f"there are no textures in '{options.folder}'")
    return options, textures


if __name__ == "__main__":
    with command.errors_told():
        run(*read_options())
