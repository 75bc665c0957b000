"""What AWS would wait where the offline machine waits less: computed from what is configured for each."""

import re

from scripts.gameday.story import Story

_RATE = re.compile(r"rate\((\d+) (minute|hour)s?\)")
_SECONDS = {"minute": 60, "hour": 3600}


def longest_until(schedule: str, story: Story) -> int:
    """Seconds until a schedule with a rate fires, at most."""
    answer = story.machine.client("scheduler").get_schedule(Name=schedule)
    match = _RATE.fullmatch(answer["ScheduleExpression"])
    assert match, f"{schedule} has no rate"
    return int(match[1]) * _SECONDS[match[2]]
