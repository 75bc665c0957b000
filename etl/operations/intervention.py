"""The record that a run waits for a person. Holds no value of any row and no name of a file."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from etl.operations.records import as_timestamp


@dataclass(frozen=True, slots=True)
class Intervention:
    """One object of JSON in the docs bucket, and so a row of the operations table `interventions`.

    `run_id` is the last workflow run that failed, `attempts` how many runs of the batch did, the first among
    them. Times are ISO 8601 in UTC; `resolved_at` is None until the batch, or a newer version of its file,
    is published. `docs_uri` is None when the gate left no page.
    """

    dataset: str
    batch_date: str
    run_id: str
    step: str
    error: str
    attempts: int
    opened_at: str
    resolved_at: str | None
    resume_command: str
    log_group: str
    docs_uri: str | None

    def to_json(self) -> str:
        """On one line, its times as Athena's JSON reader takes them."""
        times = {"opened_at": _for_athena(self.opened_at), "resolved_at": _for_athena(self.resolved_at)}
        return json.dumps(asdict(self) | times)


def _for_athena(time: str | None) -> str | None:
    if time is None:
        return None
    moment = datetime.fromisoformat(time)
    return as_timestamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC))  # read back from a record


def intervention_key(dataset: str, run_id: str) -> str:
    """Where in the docs bucket; `run_id` is that of the run which opened it."""
    return f"operations/interventions/{dataset}/{run_id}.json"
