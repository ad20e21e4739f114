"""Contact sheets: photo, painting and what each way made of them, side by side, a row to a pair."""

from PIL import Image, ImageDraw, ImageFont

MOST_WIDTH = 2000  # pixels
GAP, LINE = 8, 18
ROWS = 3  # on a sheet


def font():
    """One that is most likely there; otherwise the small one that Pillow brings."""
    try:
        return ImageFont.truetype("DejaVuSans.ttf", 13)
    except OSError:
        return ImageFont.load_default()


def cell_side(columns, size):
    """The longest side of a picture on the sheet: its own, unless the sheet would be too wide."""
    return min(size, (MOST_WIDTH - GAP) // columns - GAP)


def composed(rows, size):
    """The sheet, a PIL picture. rows: [[(label, text, PIL picture), ...], ...], all of as many
    cells. Label and text are two lines above the picture."""
    columns, letters = max(map(len, rows)), font()
    side = cell_side(columns, size)
    for row in rows:
        for _, _, picture in row:
            picture.thumbnail((side, side), Image.LANCZOS)
    heights = [max(picture.height for _, _, picture in row) + 2 * LINE + GAP for row in rows]
    sheet = Image.new("RGB", (columns * (side + GAP) + GAP, sum(heights) + GAP), "white")
    draw, top = ImageDraw.Draw(sheet), GAP
    for row, height in zip(rows, heights):
        for i, (label, text, picture) in enumerate(row):
            left = GAP + i * (side + GAP)
            draw.text((left, top), fitting(label, letters, side), fill="black", font=letters)
            draw.text((left, top + LINE), fitting(text, letters, side), fill="#555", font=letters)
            sheet.paste(picture, (left, top + 2 * LINE))
        top += height
    return sheet


def save(sheet, path, most_bytes=None):
    """Writes the sheet, a JPEG with as much quality as keeps it below so many bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for quality in range(90, 50, -4):
        sheet.save(path, quality=quality)
        if most_bytes is None or path.stat().st_size < most_bytes:
            return
    raise ValueError(f"'{path}' is still larger than {most_bytes} bytes")


def compose(rows, size, path, most_bytes=None):
    """Composes and writes the sheet of these rows."""
    save(composed(rows, size), path, most_bytes)


def fitting(text, letters, width):
    """The text, cut so that it does not run into the next column's."""
    while text and letters.getlength(text) > width:
        text = text[:-1]
    return text


def write_sheets(cells, size, folder):
    """cells: the rows of all pairs, as compose takes them. Writes folder/sheet-1.jpg and so on;
    returns their paths."""
    paths = []
    for first in range(0, len(cells), ROWS):
        paths.append(folder / f"sheet-{first // ROWS + 1}.jpg")
        compose(cells[first:first + ROWS], size, paths[-1])
    return paths
