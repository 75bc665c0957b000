"""The history of datasets as one HTML page, drawn as SVG: it needs no network and no script.

Drawn here, since what draws such bands (altair, matplotlib, plotly) brings megabytes of scripts or of wheels
for five charts of dots, and no chart of theirs follows the reader's dark mode.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from scripts.history_figures import NO_PROBE, DatasetHistory, Point, Series, as_figure

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 560, 190, 52, 14, 12, 26
_CAUSES = ("missing", "late", "failed", "rejected", NO_PROBE)
_HOURS_A_DAY = 24.0


@dataclass(frozen=True, slots=True)
class Scale:
    """Where days and values are in a chart."""

    first: date
    last: date
    top: float

    def x(self, day: date) -> float:
        days = max((self.last - self.first).days, 1)
        return round(_LEFT + (day - self.first).days / days * (_WIDTH - _LEFT - _RIGHT), 1)

    def y(self, value: float) -> float:
        return round(_HEIGHT - _BOTTOM - value / self.top * (_HEIGHT - _TOP - _BOTTOM), 1)

    @property
    def rows(self) -> list[tuple[float, str]]:
        """Heights of the grid's lines, and their labels."""
        return [(self.y(self.top * part / 4), as_figure(self.top * part / 4)) for part in range(5)]

    @property
    def columns(self) -> list[tuple[float, str]]:
        """At most seven days, evenly apart, from the last one backwards."""
        step = max(1, math.ceil((self.last - self.first).days / 6))
        days = range(self.last.toordinal(), self.first.toordinal() - 1, -step)
        return [(self.x(date.fromordinal(day)), f"{date.fromordinal(day):%d %b}") for day in days]


def render_history(histories: Sequence[DatasetHistory], environment: str, at: datetime) -> str:
    loader = FileSystemLoader(Path(__file__).parent / "pages")
    jinja = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    jinja.globals |= {
        "as_figure": as_figure,
        "charts": charts,
        "bars": bars,
        "width": _WIDTH,
        "height": _HEIGHT,
        "left": _LEFT,
        "right": _WIDTH - _RIGHT,
        "base": _HEIGHT - _BOTTOM,
        "causes": _CAUSES,
    }
    return jinja.get_template("history.html.j2").render(histories=histories, environment=environment, at=at)


@dataclass(frozen=True, slots=True)
class Chart:
    """What the template draws of one series; `bands` and `lines` are points of polygons and polylines."""

    series: Series
    scale: Scale
    bands: Sequence[str]
    line: str

    @property
    def summary(self) -> str:
        """For those who do not see the chart, and in a hurry."""
        if not self.series.points:
            return "no batch yet"
        last = self.series.points[-1]
        unusual = sum(point.is_unusual for point in self.series.points)
        said = f"last {as_figure(last.value)} {self.series.unit}"
        if last.low is not None and last.high is not None:
            said += f", usually {as_figure(last.low)} to {as_figure(last.high)}"
        return f"{said}; {unusual or 'none'} of {len(self.series.points)} unusual"


def charts(history: DatasetHistory) -> Iterator[Chart]:
    for series in history.series:
        highest = max((max(p.value, p.high or 0) for p in series.points), default=0)
        scale = Scale(history.first, history.last, nice_top(highest))
        yield Chart(
            series=series,
            scale=scale,
            bands=[_polygon(points, scale) for points in _known_stretches(series.points)],
            line=" ".join(f"{scale.x(p.day)},{scale.y(p.value)}" for p in series.points),
        )


@dataclass(frozen=True, slots=True)
class Bar:
    """A day's hours of one cause."""

    x: float
    y: float
    width: float
    height: float
    cause: str
    title: str


def bars(history: DatasetHistory) -> tuple[Scale, list[Bar]]:
    scale = Scale(history.first, history.last, _HOURS_A_DAY)
    days = (history.last - history.first).days + 1
    width = min(18.0, round((_WIDTH - _LEFT - _RIGHT) / days * 0.7, 1))
    drawn = []
    for day, hours in history.not_fresh.items():
        below = 0.0
        for cause in _CAUSES:
            if cause in hours:
                title = f"{day}: {hours[cause]:.1f} h {cause}"
                top = scale.y(below + hours[cause])
                height = round(scale.y(below) - top, 1)
                x = min(max(scale.x(day) - width / 2, _LEFT), _WIDTH - _RIGHT - width)
                drawn.append(Bar(round(x, 1), top, width, max(height, 1.0), cause, title))
                below += hours[cause]
    return scale, drawn


def nice_top(highest: float) -> float:
    """The least of 1, 2, 4, 5, 8 times a power of ten that is above, 0.1 at least: its quarters are round."""
    if highest <= 0:
        return 1.0
    power = 10 ** math.floor(math.log10(highest * 1.05))
    return next(max(step * power, 0.1) for step in (1, 2, 4, 5, 8, 10) if step * power >= highest * 1.05)


def _known_stretches(points: Iterable[Point]) -> Iterator[list[Point]]:
    for is_known, stretch in groupby(points, lambda point: point.low is not None):
        if is_known:
            yield list(stretch)


def _polygon(points: Sequence[Point], scale: Scale) -> str:
    """Along the upper edge and back along the lower; of a single day, a bar."""
    edge = [(scale.x(p.day), scale.y(p.high or 0), scale.y(p.low or 0)) for p in points]
    if len(edge) == 1:
        x, high, low = edge[0]
        edge = [(x - 4, high, low), (x + 4, high, low)]
    there = [f"{x},{high}" for x, high, _ in edge]
    return " ".join([*there, *(f"{x},{low}" for x, _, low in reversed(edge))])
