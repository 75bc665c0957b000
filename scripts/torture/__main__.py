"""Command line: `python -m scripts.torture`, also `make torture`."""

from __future__ import annotations

import json
import multiprocessing
import os
import queue
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from scripts.torture.points import Point, all_points
from scripts.torture.worker import Ready, Tried, work

RACES = 60
console = Console()


def main(
    every: Annotated[int, typer.Option(help="Try every n-th point of each kind, drawn by the seed.")] = 1,
    seed: Annotated[int | None, typer.Option(help="For --every and the races; else drawn.")] = None,
    point: Annotated[list[str] | None, typer.Option(help="Try this point, as a failure names it.")] = None,
    workers: Annotated[int, typer.Option(help="Processes with an offline AWS each.")] = os.cpu_count() or 2,
    out: Annotated[Path, typer.Option(help="Where the numbers go.")] = Path("build/torture.json"),
) -> None:
    """Kill gate and merge, or fail their calls, at every AWS call that they make; nothing may be lost.

    Exits with 1 if a point was not survived.
    """
    seed = random.randrange(10**6) if seed is None else seed
    began = time.monotonic()
    with _workers(workers) as (todo, results, calls):
        made = {step: len(told) for step, told in calls.items()}
        races = range(seed, seed + RACES)
        points = [Point.parse(text) for text in point or ()] or _thinned(
            list(all_points(made, races)), every, seed
        )
        made_by = ", ".join(f"{count} of the {step}" for step, count in made.items())
        console.print(f"Calls: {made_by}. Seed {seed}.")
        tried: list[Tried] = []
        with suppress(KeyboardInterrupt):
            tried.extend(_try(points, todo, results, calls))
    survived = sum(not one.findings for one in tried)
    numbers = {
        "points": len(tried),
        "survived": survived,
        "seed": seed,
        "every": every,
        "calls": made,
        "seconds": round(time.monotonic() - began, 1),
        "kinds": {
            kind: {"points": count, "survived": sum(not t.findings for t in tried if t.point.effect == kind)}
            for kind, count in Counter(one.point.effect for one in tried).items()
        },
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(numbers, indent=2) + "\n")
    took = f"{numbers['seconds']:.0f} s"
    console.print(f"{len(tried)} of {len(points)} points tried, {survived} survived, in {took} ({out}).")
    raise typer.Exit(survived != len(points))


def _thinned(points: Iterable[Point], every: int, seed: int) -> list[Point]:
    """Of each kind every n-th, at least one; shuffled, so that a run that is stopped has tried all kinds."""
    chance = random.Random(seed)
    kinds: dict[str, list[Point]] = {}
    for point in points:
        kinds.setdefault(point.effect, []).append(point)
    drawn = [p for of_kind in kinds.values() for p in chance.sample(of_kind, max(1, len(of_kind) // every))]
    return chance.sample(drawn, len(drawn))


def _try(points: Sequence[Point], todo: Any, results: Any, calls: Any) -> Iterator[Tried]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("trying", total=len(points))
        for point in points:
            todo.put(point)
        for _ in points:
            one: Tried = results.get()
            yield one
            progress.advance(task)
            if one.findings:
                progress.console.print(_told(one, calls), highlight=False)


def _told(one: Tried, calls: Any) -> str:
    made = calls[one.point.step]
    at = f" ({made[one.point.call - 1]})" if one.point.call <= len(made) else ""
    lines = [f"✗ python -m scripts.torture --point {one.point}{at}", *(f"    {f}" for f in one.findings)]
    return "\n".join(lines).replace("[", r"\[")


@contextmanager
def _workers(count: int) -> Iterator[tuple[Any, Any, Any]]:
    context = multiprocessing.get_context("spawn")
    todo, results = context.Queue(), context.Queue()
    processes = [context.Process(target=work, args=(todo, results), daemon=False) for _ in range(count)]
    for process in processes:
        process.start()
    try:
        told = [results.get(timeout=300) for _ in processes]
        if wrong := [one for one in told if not isinstance(one, Ready)]:
            sys.exit(f"the uninterrupted run failed: {wrong[0]}")
        yield todo, results, told[0].calls
    finally:
        with suppress(queue.Empty):  # what is left of a run that was stopped
            while True:
                todo.get_nowait()
        for _ in processes:
            todo.put(None)
        for process in processes:
            process.join(30)
            if process.is_alive():
                process.kill()


if __name__ == "__main__":
    typer.run(main)
