"""What AWS would wait where the offline machine waits less: computed from what is configured for each."""

import re

import hcl2

from etl.operations.retry import RetryPolicy
from etl.settings import retry_policy
from scripts.gameday.episode import Took
from scripts.gameday.story import Story
from scripts.package import CHECKOUT

_STACK_VARIABLES = CHECKOUT / "terraform" / "stack" / "variables.tf"
_RATE = re.compile(r"rate\((\d+) (minute|hour)s?\)")
_DEFAULT = re.compile(r"(\w+) = optional\(number, ([\d.]+)\)")
_SECONDS = {"minute": 60, "hour": 3600}


def deployed_retries(story: Story) -> RetryPolicy:
    """Of the offline machine, as its function was told."""
    name = story.outputs["lambda_functions"]["handle-failure"]
    answer = story.machine.client("lambda").get_function_configuration(FunctionName=name)
    return retry_policy(answer["Environment"]["Variables"])


def retries_on_aws() -> RetryPolicy:
    """What an environment has that says nothing else: the defaults of the stack's variable `retries`."""
    blocks = hcl2.loads(_STACK_VARIABLES.read_text())["variable"]
    stated = next(facts for block in blocks for name, facts in block.items() if name.strip('"') == "retries")
    default = {name: float(value) for name, value in _DEFAULT.findall(stated["type"])}
    return RetryPolicy(
        attempts=int(default["attempts"]),
        base_seconds=int(default["base_seconds"]),
        factor=default["factor"],
        jitter_percent=int(default["jitter_percent"]),
    )


def nominal_waits(policy: RetryPolicy, retries: int) -> list[int]:
    """Without jitter, which makes them longer."""
    return [policy.delay_seconds(retry, 0) for retry in range(1, retries + 1)]


def with_waits_of_aws(seconds: float, retries: int, story: Story) -> Took:
    """Something that took so long with so many retries in it."""
    here, there = (nominal_waits(policy, retries) for policy in (deployed_retries(story), retries_on_aws()))
    waits = ", ".join(map(str, there))
    return Took(seconds, seconds - sum(here) + sum(there), f"waits of {waits} s, without jitter")


def longest_until(schedule: str, story: Story) -> int:
    """Seconds until a schedule with a rate fires, at most."""
    answer = story.machine.client("scheduler").get_schedule(Name=schedule)
    match = _RATE.fullmatch(answer["ScheduleExpression"])
    assert match, f"{schedule} has no rate"
    return int(match[1]) * _SECONDS[match[2]]
