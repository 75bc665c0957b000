"""The end of a game day: a table for people, a document for programs, and how the process ends."""

import json
from collections.abc import Sequence
from pathlib import Path

from rich.box import ROUNDED
from rich.markup import escape
from rich.table import Table

from scripts.gameday.episode import Episode, Took


def table_of(episodes: Sequence[Episode]) -> Table:
    table = Table(box=ROUNDED, header_style="bold cyan", show_lines=True, expand=True)
    table.add_column("scenario", no_wrap=True)
    for title, ratio in (
        ("what was done", 4),
        ("what was seen", 5),
        ("until alerted", 3),
        ("until recovered", 3),
    ):
        table.add_column(title, overflow="fold", ratio=ratio)
    table.add_column("as documented", overflow="fold", ratio=3)
    for episode in episodes:
        table.add_row(
            f"[bold]{escape(episode.name)}[/]",
            escape(episode.done),
            escape("\n".join(episode.seen)),
            _cell(episode.alerted, "no alert"),
            _cell(episode.recovered, "nothing to recover"),
            _ending(episode),
        )
    return table


def exit_code(episodes: Sequence[Episode]) -> int:
    """0 only if something was played, and all of it ended as documented."""
    return 0 if episodes and all(episode.is_as_documented for episode in episodes) else 1


def write_document(episodes: Sequence[Episode], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    played = {
        "as_documented": exit_code(episodes) == 0,
        "episodes": [episode.to_json() for episode in episodes],
    }
    path.write_text(json.dumps(played, indent=2) + "\n", encoding="utf-8")


def in_words(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.1f} s"
    if seconds < 2 * 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _cell(took: Took | None, none: str) -> str:
    if took is None:
        return f"[dim]{none}[/]"
    told = in_words(took.seconds)
    if took.on_aws is not None:
        told += f"\n[dim]on AWS, computed: {in_words(took.on_aws)} ({escape(took.because)})[/]"
    return told


def _ending(episode: Episode) -> str:
    if episode.is_as_documented:
        return f"[green]✓[/] {episode.checks} checks"
    wrong = [episode.error] if episode.error else []
    wrong += episode.failed
    return "[bold red]✗[/] " + escape("; ".join(wrong) or "nothing was checked")
