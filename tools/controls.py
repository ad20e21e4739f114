#!/usr/bin/env python3
"""Paints the pictures of docs/controls.md: what each of the artist's controls does, side by side.

    tools/controls.py --limn build/limn --out build/controls --shown docs/controls

Needs Pillow. The masks are made here; photos and paintings are those of examples/.
"""

import pathlib

from PIL import Image, ImageDraw, ImageFilter

from kit import command, images, painter, sheet
from kit.command import EXAMPLES

SIZE = 384  # pixels, of each picture


def drawn_mask(path, draw):
    """A soft mask: white where `draw` fills, its edge as wide as a brush."""
    mask = Image.new("L", (512, 384), 0)
    draw(ImageDraw.Draw(mask))
    mask.filter(ImageFilter.GaussianBlur(6)).save(path)
    return path


def masks(folder):
    """Of the harbour's sky, of the bust, and of the painted guitar's half of its painting."""
    return {
        "sky": drawn_mask(folder / "sky.png", lambda d: d.rectangle((0, 0, 512, 196), fill=255)),
        "bust": drawn_mask(folder / "bust.png", lambda d: (
            d.ellipse((232, 14, 392, 236), fill=255), d.ellipse((196, 214, 420, 332), fill=255),
            d.rectangle((256, 300, 360, 384), fill=255))),
        "right": drawn_mask(folder / "right.png",
                            lambda d: d.rectangle((256, 0, 512, 384), fill=255)),
    }


def figures(mask):
    """{name: [(label, photo, paintings, flags), ...]}, a strip of pictures each."""
    oil, wood, ink, cubist, glass = (EXAMPLES / "paintings" / f"{name}.jpg" for name in (
        "oil", "woodcut", "ink_wash", "cubist", "stained_glass"))
    harbour, bust, street = (EXAMPLES / "photos" / f"{name}.jpg"
                             for name in ("harbour", "bust", "street"))
    return {
        "strength": [(f"--strength {s}", bust, [oil], ["--strength", s])
                     for s in ("0.1", "0.3", "0.5", "0.7", "0.9")],
        "scale": [(f"--style-scale {s}", street, [glass], ["--style-scale", s])
                  for s in ("0.5", "1", "2")],
        "blend": [(f"--blend {b}", harbour, [oil, wood], ["--blend", b])
                  for b in ("1,0", "0.7,0.3", "0.3,0.7", "0,1")],
        "places": [
            ("--mask-content sky.png", harbour, [oil, wood], ["--mask-content", mask["sky"]]),
            ("--mask-keep bust.png", bust, [cubist], ["--mask-keep", mask["bust"]]),
            ("--mask-style right.png", bust, [cubist], ["--mask-style", mask["right"]]),
        ],
        "colors": [(f"--colors {c}", harbour, [cubist], ["--colors", c])
                   for c in ("style", "content", "matched", "palette")],
        "statistics": [
            ("gram", street, [ink], []),
            ("--style-statistic covariance", street, [ink], ["--style-statistic", "covariance"]),
            ("--style-statistic mean-deviation", street, [ink],
             ["--style-statistic", "mean-deviation"]),
            ("--style-shifts 1,2,4,8", street, [ink], ["--style-shifts", "1,2,4,8"]),
        ],
        "layers": [
            ("--style-layers relu1_1,relu2_1", street, [glass],
             ["--style-layers", "relu1_1,relu2_1"]),
            ("all five", street, [glass], []),
            ("--style-layers relu4_1,relu5_1", street, [glass],
             ["--style-layers", "relu4_1,relu5_1"]),
        ],
    }


def main():
    parser = command.parser(__doc__)
    add = parser.add_argument
    add("--limn", type=command.existing_file, required=True, help="the program")
    add("--out", type=pathlib.Path, required=True, help="folder for pictures")
    add("--shown", type=pathlib.Path, required=True, help="folder for the strips")
    add("--only", help="one strip's name")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for name, cells in figures(masks(options.out)).items():
        if options.only not in (None, name):
            continue
        row = []
        for i, (label, photo, paintings, flags) in enumerate(cells):
            out = options.out / f"{name}-{i}.png"
            painter.run(options.limn, "paint", photo, *paintings, "-o", out, "--size", SIZE,
                        "--quiet", *flags)
            text = f"{photo.stem} as {', '.join(p.stem for p in paintings)}"
            row.append((label, text, images.read(out)))
        sheet.compose([row], SIZE, options.shown / f"{name}.jpg", 250_000)
        command.say(options.shown / f"{name}.jpg")


if __name__ == "__main__":
    with command.errors_told():
        main()
