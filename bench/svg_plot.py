"""Line plots as SVG, of the standard library alone: linear or logarithmic axes, a legend, goals as dashed lines, and
colours that follow the reader's light or dark theme."""
import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 72, 24, 76, 56
LIGHT = ["#1f6feb", "#b35900", "#1a7f37", "#8250df"]
DARK = ["#6cb6ff", "#f0a35e", "#57c76a", "#c297ff"]


class Axis:
    """Values of one dimension to pixels, and where its ticks are."""

    def __init__(self, values, start, end, log):
        self.start, self.end, self.log = start, end, log
        low, high = min(values), max(values)
        if log:
            self.low, self.high = math.log10(low) - 0.02, math.log10(high if high > low else low * 10) + 0.02
            self.ticks = [m * 10 ** e for e in range(math.floor(self.low) - 1, math.ceil(self.high) + 1) for m in self.steps(high / low)]
        else:
            step = self.nice(max(high, 1e-9) / 5)
            self.low, self.high = 0.0, step * math.ceil(high / step * 1.02)
            self.ticks = [step * i for i in range(round(self.high / step) + 1)]
        self.ticks = [t for t in self.ticks if self.low - 1e-9 <= self.scaled(t) <= self.high + 1e-9]

    @staticmethod
    def steps(ratio):
        return (1,) if ratio > 3000 else (1, 3) if ratio > 50 else (1, 2, 5)

    @staticmethod
    def nice(step):
        """The next of 1, 2, 5 × 10^n."""
        power = 10 ** math.floor(math.log10(step))
        return next(m * power for m in (1, 2, 5, 10) if m * power >= step * 0.999)

    def scaled(self, value):
        return (math.log10(value) if value > 0 else -99) if self.log else value

    def at(self, value):
        return self.start + (self.scaled(value) - self.low) / (self.high - self.low) * (self.end - self.start)


def number(value):
    """For a tick: 1,000 or 0.5."""
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.3g}"


def style(count):
    def colours(palette):
        return "".join(f".s{i}{{stroke:{palette[i]}}}.f{i}{{fill:{palette[i]}}}" for i in range(count))
    return ("<style>text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-size:16px;font-weight:600}.paper{fill:#ffffff}"
            ".grid{stroke:#d8dee4}.axis{stroke:#59636e}.goal{stroke:#59636e;stroke-dasharray:6 4}.line{fill:none;stroke-width:2}"
            + colours(LIGHT) + "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.paper{fill:#0d1117}.grid{stroke:#2d333b}"
            ".axis,.goal{stroke:#9198a1}" + colours(DARK) + "}</style>")


def axes(x, y, x_label, y_label):
    """Grid, ticks and what they mean."""
    parts = []
    for tick in y.ticks:
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y.at(tick):.1f}" y2="{y.at(tick):.1f}"/>'
                     f'<text x="{LEFT - 8}" y="{y.at(tick) + 4:.1f}" text-anchor="end">{number(tick)}</text>')
    for tick in x.ticks:
        parts.append(f'<line class="axis" x1="{x.at(tick):.1f}" x2="{x.at(tick):.1f}" y1="{HEIGHT - BOTTOM}" y2="{HEIGHT - BOTTOM + 5}"/>'
                     f'<text x="{x.at(tick):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{number(tick)}</text>')
    parts.append(f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{HEIGHT - BOTTOM}" y2="{HEIGHT - BOTTOM}"/>'
                 f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}" text-anchor="middle">{escape(x_label)}</text>'
                 f'<text x="16" y="{(TOP + HEIGHT - BOTTOM) / 2}" text-anchor="middle" '
                 f'transform="rotate(-90 16 {(TOP + HEIGHT - BOTTOM) / 2})">{escape(y_label)}</text>')
    return parts


def plot(path, title, x_label, y_label, series, goals=(), log_x=True, log_y=False):
    """Writes `path`. `series`: {name: [(x, y), ..]} (at most four); `goals`: [(y, what it says), ..]."""
    points = [point for values in series.values() for point in values]
    x = Axis([p[0] for p in points], LEFT + 12, WIDTH - RIGHT - 12, log_x)
    y = Axis([p[1] for p in points] + [g[0] for g in goals], HEIGHT - BOTTOM, TOP, log_y)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img">',
             f"<title>{escape(title)}</title>", style(len(series)), f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>',
             f'<text class="title" x="16" y="26">{escape(title)}</text>', *axes(x, y, x_label, y_label)]
    for level, says in goals:
        parts.append(f'<line class="goal" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y.at(level):.1f}" y2="{y.at(level):.1f}"/>'
                     f'<text x="{WIDTH - RIGHT}" y="{y.at(level) - 6:.1f}" text-anchor="end">{escape(says)}</text>')
    legend = 16
    for i, (name, values) in enumerate(series.items()):
        values = sorted(values)
        way = " ".join(f"{x.at(a):.1f},{y.at(b):.1f}" for a, b in values)
        parts.append(f'<polyline class="line s{i}" points="{way}"/>')
        parts += [f'<circle class="f{i}" cx="{x.at(a):.1f}" cy="{y.at(b):.1f}" r="4"/>' for a, b in values]
        parts.append(f'<circle class="f{i}" cx="{legend + 5}" cy="46" r="5"/><text x="{legend + 16}" y="50">{escape(name)}</text>')
        legend += 36 + 7 * len(name)
    with open(path, "w") as file:
        file.write("\n".join(parts) + "\n</svg>\n")
