"""Line charts as one standalone SVG, with nothing but Python's standard library.

The background is transparent and all colours are of middle lightness, so that a chart reads on
white pages and on dark ones. Text stays text.
"""

import math
import pathlib
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

# Sizes in SVG user units, which are pixels at scale 1. The margins hold the title and legend above,
# the labels of the y axis left, those of the x axis below.
PANEL_WIDTH, PANEL_HEIGHT = 480, 340
TOP, RIGHT, BOTTOM, LEFT = 64, 24, 58, 80
FONT_SIZE = 12
CHARACTER_WIDTH = 0.56 * FONT_SIZE  # a generous mean of sans-serif fonts; there is nothing to ask

# Both greys have a contrast of 4 or more against white and against near-black.
INK = "#777777"
COLOURS = ("#2f83d0", "#d9722a", "#2e9e72", "#a06bc8", "#d14b67", "#8a8a2e")

STYLE = f"""
text {{ font-family: system-ui, -apple-system, "Segoe UI", "DejaVu Sans", Arial, sans-serif;
       font-size: {FONT_SIZE}px; fill: {INK}; }}
.title {{ font-size: 15px; font-weight: 600; }}
.grid {{ stroke: {INK}; stroke-opacity: 0.22; }}
.axis {{ stroke: {INK}; fill: none; }}
.curve {{ fill: none; stroke-width: 2.25; stroke-linejoin: round; stroke-linecap: round; }}
"""


@dataclass
class Series:
    """A named curve through points (x, y), in this order."""
    name: str
    points: list


@dataclass
class Chart:
    """One panel. Labels name the quantity and its unit. A linear y axis starts at 0, so that
    heights can be compared. x_ticks: the values to mark, if not the usual."""
    title: str
    x_label: str
    y_label: str
    series: list = field(default_factory=list)
    log_x: bool = False
    log_y: bool = False
    x_ticks: list = field(default_factory=list)

    def values(self, coordinate):
        """All x (0) or all y (1) of the chart."""
        return [point[coordinate] for series in self.series for point in series.points]


# -------------------------------------------------------------------------------------- axes --

@dataclass
class Axis:
    """Values low..high along pixels start..end, and the values to mark."""
    low: float
    high: float
    start: float
    end: float
    log: bool
    ticks: list

    def at(self, value):
        """The pixel of a value."""
        scale = math.log10 if self.log else float
        share = (scale(value) - scale(self.low)) / (scale(self.high) - scale(self.low))
        return self.start + share * (self.end - self.start)


def round_step(span, wanted):
    """The step of 1, 2 or 5 times a power of ten that cuts `span` into about `wanted` parts."""
    raw = span / wanted
    power = 10.0 ** math.floor(math.log10(raw))
    return min((m * power for m in (1, 2, 5, 10)), key=lambda step: abs(math.log(step / raw)))


def linear_axis(values, start, end, from_zero=False):
    """An axis whose ends are ticks."""
    low, high = min(values), max(values)
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if low == high:
        low, high = low - (abs(low) or 1) / 10, high + (abs(high) or 1) / 10
    step = round_step(high - low, 5)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = [round(i * step, 12) for i in range(first, last + 1)]
    return Axis(ticks[0], ticks[-1], start, end, False, ticks)


def log_axis(values, start, end):
    """A logarithmic axis with a little room at both ends, marked at 1, 2, 5, 10 or, over more than
    three decades, at powers of ten alone."""
    if min(values) <= 0:
        raise ValueError("a logarithmic axis needs values above 0")
    decades = math.log10(max(values) / min(values))
    room = 10.0 ** max(0.04 * decades, 0.05)
    low, high = min(values) / room, max(values) * room
    marks = (1, 2, 5) if decades <= 3 else (1,)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [mark * 10.0 ** power for power in powers for mark in marks]
    return Axis(low, high, start, end, True, [tick for tick in ticks if low <= tick <= high])


def x_axis_of(chart):
    values = chart.values(0) + chart.x_ticks
    make = log_axis if chart.log_x else linear_axis
    found = make(values, LEFT, PANEL_WIDTH - RIGHT)
    found.ticks = chart.x_ticks or found.ticks
    return found


def y_axis_of(chart):
    bottom = PANEL_HEIGHT - BOTTOM
    if chart.log_y:
        return log_axis(chart.values(1), bottom, TOP)
    return linear_axis(chart.values(1), bottom, TOP, from_zero=True)


def number(value):
    """A tick's label: 0.05, 2, 1,500, 20M, 3G."""
    for power, letter in ((1e9, "G"), (1e6, "M")):
        if abs(value) >= power:
            return f"{value / power:.6g}{letter}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.6g}"


# ----------------------------------------------------------------------------------- drawing --

def text(x, y, content, anchor="middle", more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(content)}</text>'


def line(x1, y1, x2, y2, kind):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def draw_axes(chart, x_axis, y_axis):
    """Grid, axis lines, ticks with their numbers, and the labels of both axes."""
    left, right, bottom, top = x_axis.start, x_axis.end, y_axis.start, y_axis.end
    parts = []
    for tick in y_axis.ticks:
        y = y_axis.at(tick)
        parts += [line(left, y, right, y, "grid"), text(left - 9, y + 4, number(tick), "end")]
    for tick in x_axis.ticks:
        x = x_axis.at(tick)
        parts += [line(x, bottom, x, bottom + 5, "axis"), text(x, bottom + 20, number(tick))]
    middle = (top + bottom) / 2
    parts += [line(left, bottom, right, bottom, "axis"),
              text((left + right) / 2, bottom + 44, chart.x_label),
              text(16, middle, chart.y_label, more=f' transform="rotate(-90 16 {middle:.1f})"')]
    return parts


def draw_curve(series, colour, x_axis, y_axis):
    """The curve, and a dot with its numbers as a tooltip at each point."""
    spots = [(x_axis.at(x), y_axis.at(y)) for x, y in series.points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
    parts = [f'<polyline class="curve" stroke="{colour}" points="{path}"/>']
    for (x, y), (x_value, y_value) in zip(spots, series.points):
        hint = escape(f"{series.name}: {y_value:.4g} at {x_value:.4g}")
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}">'
                     f"<title>{hint}</title></circle>")
    return parts


def draw_legend(chart):
    """The names of the series in a row under the title."""
    parts, x, y = [], float(LEFT), 46
    for series, colour in coloured(chart):
        parts += [f'<line x1="{x:.1f}" y1="{y - 4}" x2="{x + 20:.1f}" y2="{y - 4}" class="curve" '
                  f'stroke="{colour}"/>',
                  f'<circle cx="{x + 10:.1f}" cy="{y - 4}" r="3.5" fill="{colour}"/>',
                  text(x + 27, y, series.name, "start")]
        x += 27 + CHARACTER_WIDTH * len(series.name) + 22
    return parts


def coloured(chart):
    """Pairs of series and colour. Colours repeat after the sixth series."""
    return [(series, COLOURS[i % len(COLOURS)]) for i, series in enumerate(chart.series)]


def draw_chart(chart):
    """The SVG elements of one panel whose upper left corner is the origin."""
    if not chart.values(0):
        raise ValueError(f"chart '{chart.title}' has no points")
    x_axis, y_axis = x_axis_of(chart), y_axis_of(chart)
    parts = [text(LEFT, 24, chart.title, "start", ' class="title"')]
    parts += draw_legend(chart) + draw_axes(chart, x_axis, y_axis)
    for series, colour in coloured(chart):
        parts += draw_curve(series, colour, x_axis, y_axis)
    return parts


def svg(charts):
    """All charts, two to a row, as the text of one SVG file."""
    columns = min(2, len(charts))
    width, height = columns * PANEL_WIDTH, math.ceil(len(charts) / columns) * PANEL_HEIGHT
    title = "; ".join(chart.title for chart in charts)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
             f'viewBox="0 0 {width} {height}" role="img" aria-label={quoteattr(title)}>',
             f"<title>{escape(title)}</title>", f"<style>{STYLE}</style>"]
    for i, chart in enumerate(charts):
        x, y = i % columns * PANEL_WIDTH, i // columns * PANEL_HEIGHT
        parts += [f'<g transform="translate({x} {y})">', *draw_chart(chart), "</g>"]
    return "\n".join([*parts, "</svg>", ""])


def write_svg(charts, path):
    pathlib.Path(path).write_text(svg(charts), encoding="utf-8")
