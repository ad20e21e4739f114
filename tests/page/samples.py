"""Small pictures that the tests give to the page, and a look at those that come back."""
import struct
import zlib


def png(width, height, colour):
    """The bytes of a PNG; colour(x, y) is (red, green, blue), 0 to 255."""
    rows = b"".join(
        b"\0" + b"".join(bytes(colour(x, y)) for x in range(width)) for y in range(height))

    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data +
                struct.pack(">I", zlib.crc32(kind + data)))
    return (b"\x89PNG\r\n\x1a\n" +
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def photo(width=96, height=72, tint=0):
    """A sky, a hill and a sun; `tint` makes different ones."""
    def colour(x, y):
        if (x - width * 0.7) ** 2 + (y - height * 0.3) ** 2 < (height * 0.15) ** 2:
            return 250, 220, 120
        if y > height * (0.55 + 0.2 * abs(x / width - 0.4)):
            return 60 + tint % 60, 110 + (x * 7) % 40, 50
        return 120 + tint % 90, 160, 200 + (y * 5) % 50
    return png(width, height, colour)


def painting(width=80, height=80, tint=0):
    """Slanted strokes in two colours."""
    def colour(x, y):
        stroke = ((x + y * 2 + tint) // 5) % 3
        return ((200, 60, 40), (30, 60, 140), (240, 200, 90))[(stroke + tint) % 3]
    return png(width, height, colour)


def png_size(data):
    """(width, height, bits a sample) of a PNG's bytes; None if they are none."""
    if data[:8] != b"\x89PNG\r\n\x1a\n" or data[12:16] != b"IHDR":
        return None
    width, height, bits = struct.unpack(">IIB", data[16:25])
    return width, height, bits


def jpeg_size(data):
    """(width, height, bits a sample) of a JPEG's bytes; None if they are none."""
    if data[:2] != b"\xff\xd8":
        return None
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], struct.unpack(">H", data[at + 2:at + 4])[0]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            bits, height, width = struct.unpack(">BHH", data[at + 4:at + 9])
            return width, height, bits
        at += 2 + length
    return None


def tiff_size(data):
    """(width, height, bits a sample) of a TIFF's bytes; None if they are none."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None:
        return None
    at = struct.unpack(order + "I", data[4:8])[0]
    count = struct.unpack(order + "H", data[at:at + 2])[0]
    values = {}
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind, number = struct.unpack(order + "HHI", data[entry:entry + 8])
        size = {3: 2, 4: 4}.get(kind, 0)  # SHORT, LONG
        if not size:
            continue
        place = entry + 8
        if size * number > 4:
            place = struct.unpack(order + "I", data[place:place + 4])[0]
        form = order + ("H" if size == 2 else "I")
        values[tag] = struct.unpack(form, data[place:place + size])[0]
    return values.get(256), values.get(257), values.get(258)
