# SPDX-License-Identifier: Apache-2.0
"""Lines and bars as SVG: on a light ground of their own, so that they read on any page. The same
values give the same bytes."""
import dataclasses
import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 720, 340
LEFT, RIGHT, TOP, BOTTOM = 64, 200, 44, 48
GROUND, TEXT, GRID = "#f6f8fa", "#1f2328", "#d0d7de"
#: Told apart by the colour-blind too (Okabe and Ito), dark enough for the ground.
COLOURS = ("#0072b2", "#d55e00", "#00795c", "#a2478a", "#8a6d00", "#3d3d3d")


@dataclasses.dataclass
class Line:
    name: str
    points: list                # (x, y); for named places x counts from 0
    limit: tuple | None = None  # (x, y) of what it is to stay below


def number(value):
    """As short as it is exact enough for an axis or a bar."""
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def label(x, y, words, anchor="start", size=12, colour=TEXT, weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}"'
            f' text-anchor="{anchor}" font-weight="{weight}">{escape(words)}</text>')


def drawing(title, height, body, width=WIDTH):
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}" font-family="sans-serif" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" rx="6" fill="{GROUND}"/>',
        label(16, 26, title, size=14, weight="bold"), *body, "</svg>"]) + "\n"


def steps(highest):
    """Round values from 0 to at least `highest`, about five."""
    raw = highest / 5 or 1
    power = 10 ** math.floor(math.log10(raw))
    step = next(power * each for each in (1, 2, 5, 10) if power * each >= raw * 0.999)
    return [step * i for i in range(math.ceil(highest / step - 1e-9) + 1)]


def decades(values):
    low = math.floor(math.log10(min(values)))
    high = max(low + 1, math.ceil(math.log10(max(values))))
    return [10.0 ** power for power in range(low, high + 1)]


def lines(title, unit, series, places=None, x_words="", log=False):
    """`places` names the x values 0, 1, …; without them x is a quantity from 0 on."""
    values = [y for line in series for _, y in line.points + ([line.limit] if line.limit else [])]
    marks = decades(values) if log else steps(max(values))
    scale = math.log10 if log else float
    xs = [float(i) for i in range(len(places))] if places else \
        steps(max(x for line in series for x, _ in line.points))
    inset = 24 if places else 0

    def at(x, y):
        across = (x - xs[0]) / ((xs[-1] - xs[0]) or 1)
        up = (scale(y) - scale(marks[0])) / (scale(marks[-1]) - scale(marks[0]))
        return (LEFT + inset + across * (WIDTH - LEFT - RIGHT - 2 * inset),
                HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM))
    body = []
    for mark in marks:
        y = at(xs[0], mark)[1]
        body += [f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"'
                 f' stroke="{GRID}"/>', label(LEFT - 8, y + 4, number(mark), "end")]
    for x, words in zip(xs, places or [number(x) for x in xs]):
        body.append(label(at(x, marks[0])[0], HEIGHT - BOTTOM + 20, words, "middle"))
    if x_words:
        body.append(label((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, x_words, "middle"))
    for count, line in enumerate(series):
        colour = COLOURS[count % len(COLOURS)]
        places_of = [at(x, y) for x, y in line.points]
        body.append('<polyline fill="none" stroke-width="2" stroke="{}" points="{}"/>'.format(
            colour, " ".join(f"{x:.1f},{y:.1f}" for x, y in places_of)))
        body += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>'
                 for x, y in places_of]
        if line.limit:
            x, y = at(*line.limit)
            body.append(f'<line x1="{x - 16:.1f}" y1="{y:.1f}" x2="{x + 16:.1f}" y2="{y:.1f}"'
                        f' stroke="{colour}" stroke-width="2" stroke-dasharray="4 3"/>')
        y = TOP + 8 + 20 * count
        body += [f'<circle cx="{WIDTH - RIGHT + 20}" cy="{y}" r="5" fill="{colour}"/>',
                 label(WIDTH - RIGHT + 32, y + 4, line.name)]
    if any(line.limit for line in series):
        body.append(label(WIDTH - RIGHT + 14, TOP + 16 + 20 * len(series), "- - its aim"))
    return drawing(f"{title}, {unit}", HEIGHT, body)


def bars(title, unit, rows):
    """`rows`: (words, value, whether it is what the others are compared with)."""
    left, step = 24 + round(6.4 * max(len(words) for words, _, _ in rows)), 26
    room = WIDTH - left - 110
    highest = max(value for _, value, _ in rows)
    body = []
    for count, (words, value, is_base) in enumerate(rows):
        y = TOP + 4 + step * count
        length = room * value / highest
        body += [label(left - 10, y + 13, words, "end"),
                 f'<rect x="{left}" y="{y}" width="{length:.1f}" height="18"'
                 f' fill="{"#8c959f" if is_base else COLOURS[0]}"/>',
                 label(left + length + 8, y + 13, f"{number(value)} {unit}")]
    return drawing(title, TOP + step * len(rows) + 20, body)
