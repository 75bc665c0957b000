"""What somebody wants to know of the machine who asks why a scenario ended otherwise."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from scripts.gameday.story import Story

_RUNS = 6
_MAILS = 6


def describe_state(story: Story) -> Iterator[str]:
    """The last runs, the queues that are not empty, the last mails, and where the logs are; a line each."""
    glue = story.machine.client("glue")
    for run in glue.get_workflow_runs(Name=story.workflow, IncludeGraph=True)["Runs"][:_RUNS]:
        yield f"run {run['WorkflowRunId']} {run['Status']}: {'; '.join(_jobs(run))}"
    sqs = story.machine.client("sqs")
    for url in sqs.list_queues().get("QueueUrls", ()):
        told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        kinds = {"visible": "", "in flight": "NotVisible", "delayed": "Delayed"}
        waiting = {kind: told[f"ApproximateNumberOfMessages{name}"] for kind, name in kinds.items()}
        if any(int(number) for number in waiting.values()):
            yield f"queue {url.rpartition('/')[2]}: {waiting}"
    for mail in story.mails(datetime.min.replace(tzinfo=UTC))[-_MAILS:]:
        yield f"mail {mail.at:%H:%M:%S} {mail.subject}"
    yield f"logs of jobs and Lambdas: {story.machine.state_dir / 'logs'}"


def _jobs(run: Mapping[str, Any]) -> Iterator[str]:
    for node in run["Graph"]["Nodes"]:
        for job in node.get("JobDetails", {}).get("JobRuns", ()):
            step = job["JobName"].rpartition("-")[2]
            yield f"{step} {job['JobRunState']} {job.get('ErrorMessage', '')}".strip()
