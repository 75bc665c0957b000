"""Known faults against the offline stack, one after the other: `make gameday`."""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from scripts.demo_view import View
from scripts.gameday.episode import Episode
from scripts.gameday.scenarios import SCENARIOS, Name, Scenario
from scripts.gameday.state import describe_state
from scripts.gameday.story import Story
from scripts.gameday.table import exit_code, in_words, table_of, write_document
from scripts.offline_machine import STATE_DIR, start_machine
from scripts.package import CHECKOUT
from scripts.runs import RunNotSeen
from scripts.stack_up import apply_with_progress, ends_in_order, say_how_to_reach
from scripts.terminal import open_console

DOCUMENT = CHECKOUT / "build" / "gameday.json"


def main(
    only: Annotated[list[Name] | None, typer.Option(help="One scenario; can be repeated.")] = None,
    keep: Annotated[bool, typer.Option(help="Leave the offline AWS running afterwards.")] = False,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the offline AWS; 0 takes a free one.")
    ] = 0,
    state_dir: Annotated[Path, typer.Option(help="Where the machine keeps its files.")] = STATE_DIR,
    document: Annotated[Path, typer.Option(help="Where the result is written as JSON.")] = DOCUMENT,
) -> None:
    """Play the scenarios; exits with 0 only if each of them ends as documented."""
    console = open_console(160)
    started, episodes = time.monotonic(), list[Episode]()
    with (
        ends_in_order(console),
        start_machine(state_dir, port, "scripts.gameday.faulty_aws") as (machine, stay),
    ):
        view = View(console)
        view.say(f"The offline AWS answers at {machine.endpoint}")
        apply_with_progress(view, machine)
        story = Story(machine, machine.terraform().outputs(), view)
        open_day(story)
        for name, scenario in SCENARIOS.items():
            if not only or name in only:
                episodes.append(play(name, scenario, story))
        console.print(table_of(episodes))
        write_document(episodes, document)
        if keep:
            stay()
            say_how_to_reach(console, machine, story.bucket("raw"))
    _conclude(episodes, time.monotonic() - started, document, console)


def open_day(story: Story) -> None:
    """A table that is in use: the first day is in it."""
    with story.view.step("the first day, without a fault") as update:
        known = story.known_runs()
        story.land(0, story.file_of(0).content)
        run = story.await_run(known, update)
    if not run.merge:
        raise RunNotSeen(f"The first day was not published: {dict(run.job_states)}.")


def play(name: Name, scenario: Scenario, story: Story) -> Episode:
    """One scenario; what goes wrong in it is told, and the next one is played all the same."""
    view, started = story.view, time.monotonic()
    episode = Episode(name, scenario.done, scenario.documented, view)
    view.console.print()
    view.console.rule(f"[bold]{name}[/]", align="left")
    view.say(f"What is done: {scenario.done}")
    view.say(f"Documented ending: {scenario.documented}")
    try:
        scenario.play(story, episode)
    except Exception as error:  # whatever it is, it is how this scenario ended
        episode.error = f"{type(error).__name__}: {error}"
        view.console.print(f"    [bold red]✗[/] {escape(episode.error)}")
    episode.seconds = time.monotonic() - started
    if not episode.is_as_documented:
        for line in describe_state(story):
            view.say(line)
    return episode


def _conclude(episodes: list[Episode], seconds: float, document: Path, console: Console) -> None:
    console.print(f"In {in_words(seconds)}; {document} says the same to programs.", soft_wrap=True)
    wrong = [episode.name for episode in episodes if not episode.is_as_documented]
    if wrong:
        console.print(f"[bold red]Not as documented: {', '.join(wrong)}.[/] docs/gameday.md has the endings.")
    else:
        console.print(f"[bold green]Scenarios played: {len(episodes)}. Each ended as documented.[/]")
    raise typer.Exit(exit_code(episodes))


if __name__ == "__main__":
    typer.run(main)
