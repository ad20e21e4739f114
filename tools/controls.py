#!/usr/bin/env python3
"""Paints the pictures of docs/controls.md: what each of the artist's controls does, side by side.

    tools/controls.py --limn build/limn --out build/controls --shown docs/controls

Needs Pillow. The masks are made here; photos and paintings are those of examples/.
"""

import argparse
import pathlib
import subprocess
import sys

from PIL import Image, ImageDraw, ImageFilter

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools" / "quality"))
import sheet  # noqa: E402

SIZE = 384  # pixels, of each picture
PHOTOS, PAINTINGS = ROOT / "examples" / "photos", ROOT / "examples" / "paintings"


def photo(name):
    return PHOTOS / f"{name}.jpg"


def painting(name):
    return PAINTINGS / f"{name}.jpg"


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
    oil, wood, ink = painting("oil"), painting("woodcut"), painting("ink_wash")
    cubist, glass = painting("cubist"), painting("stained_glass")
    harbour, bust, street = photo("harbour"), photo("bust"), photo("street")
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
                   for c in ("style", "content", "matched")],
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


def paint(limn, folder, name, photo_file, paintings, flags):
    out = folder / name
    command = [limn, "paint", photo_file, *paintings, "-o", out, "--size", SIZE, "--quiet", *flags]
    subprocess.run([str(part) for part in command], check=True)
    return Image.open(out).convert("RGB")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limn", type=pathlib.Path, required=True, help="the program")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder for pictures")
    parser.add_argument("--shown", type=pathlib.Path, required=True, help="folder for the strips")
    parser.add_argument("--only", help="one strip's name")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, cells in figures(masks(arguments.out)).items():
        if arguments.only not in (None, name):
            continue
        row = []
        for i, (label, photo_file, paintings, flags) in enumerate(cells):
            picture = paint(arguments.limn, arguments.out, f"{name}-{i}.png", photo_file,
                            paintings, flags)
            text = f"{photo_file.stem} as {', '.join(p.stem for p in paintings)}"
            row.append((label, text, picture))
        sheet.compose([row], SIZE, arguments.shown / f"{name}.jpg", 250_000)
        print(arguments.shown / f"{name}.jpg", flush=True)


if __name__ == "__main__":
    main()
