"""Files that land twice, late, or not at all."""

import json

from scripts.gameday.episode import Episode
from scripts.gameday.story import HIRED_A_DAY, PEOPLE, Landed, Story
from scripts.runs import WorkflowRun

_TWICE = 6


def file_twice(story: Story, episode: Episode) -> None:
    view, sample, known = story.view, story.file_of(_TWICE), story.known_runs()
    with view.step("the file, its event once more, and the file once more") as update:
        landed = story.land(_TWICE, sample.content)
        episode.began = landed.at
        _deliver_again(story, landed)
        runs = [story.await_run(known, update) for _ in range(2)]
        story.land(_TWICE, sample.content)
        runs.append(story.await_run(known, update))
    effects = [run for run in runs if run.merge and run.merge["committed"]]
    episode.see(f"{len(runs)} runs, of which {len(effects)} committed")
    episode.check("all three runs ended well", all(_is_published(run) for run in runs))
    episode.check("one of them changed the table", len(effects) == 1)
    counts = [dict(run.merge["counts"]) for run in runs if run.merge]
    changing = [c for c in counts if c["inserted"] or c["updated"]]
    episode.check("one of them says that it inserted or updated rows", len(changing) == 1)
    snapshots = {run.merge["snapshot_id"] for run in runs if run.merge}
    episode.check("all three tell of the same snapshot of the table", len(snapshots) == 1)
    check_table(story, episode, _TWICE)
    episode.check("nobody is told anything", not story.alerts(landed.at))


def check_table(story: Story, episode: Episode, number: int) -> None:
    """All of the company of that day are in the table, and nobody twice."""
    rows, keys = story.rows(), story.keys_in_table()
    expected = PEOPLE + HIRED_A_DAY * number
    episode.see(f"{rows} rows in the table, {keys} keys")
    episode.check(f"all {expected} people are in the table", rows == expected)
    episode.check("nobody is in it twice", keys == rows)


def _is_published(run: WorkflowRun) -> bool:
    return run.job_states == {"gate": "SUCCEEDED", "merge": "SUCCEEDED"} and run.merge is not None


def _deliver_again(story: Story, landed: Landed) -> None:
    """EventBridge delivers at least once: the queue gets the event of the same version another time."""
    sqs = story.machine.client("sqs")
    url = sqs.get_queue_url(QueueName=f"{story.prefix}-landing")["QueueUrl"]
    event = {
        "version": "0",
        "source": "aws.s3",
        "detail-type": "Object Created",
        "time": landed.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "detail": {
            "bucket": {"name": story.bucket("raw")},
            "object": {
                "key": landed.key,
                "version-id": landed.version_id,
                "etag": landed.etag,
                "size": landed.size,
            },
        },
    }
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(event))
