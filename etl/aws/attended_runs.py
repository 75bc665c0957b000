"""Workflow runs that somebody started and waits for, on Glue; their records are in the docs bucket."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

from botocore.exceptions import ClientError

from etl.aws.clients import client
from etl.aws.object_store import find_json, update_json
from etl.aws.workflow import find_resuming, is_over, start_run
from etl.batch import Batch, MergeMode, date_of_batch, to_run_properties
from etl.operations.attended import AttendedRun, State
from etl.run_files import backfill_key, gate_report_key, merge_report_key, replay_key

Trigger = Literal["backfill", "replay"]


class AttendedRuns:
    """Implements etl.operations.backfill.Runs, of one dataset."""

    def __init__(self, dataset: str, workflow: str, docs_bucket: str, trigger: Trigger, mode: MergeMode):
        self._dataset, self._workflow, self._bucket = dataset, workflow, docs_bucket
        self._trigger, self._mode = trigger, mode

    def start(self, batch: Batch) -> AttendedRun | None:
        try:
            run_id = start_run(self._workflow, to_run_properties(batch, self._mode, self._trigger))
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConcurrentRunsExceededException":
                raise
            return None
        return AttendedRun.of(batch, run_id, datetime.now(UTC).isoformat(timespec="seconds"))

    def look_at(self, run: AttendedRun) -> AttendedRun:
        """Of a run that failed and was resumed, the newest that resumes it tells."""
        ended = is_over(self._workflow, run.run_id)  # asked first: its reports are there when it is
        gate = find_json(self._bucket, gate_report_key(self._dataset, run.run_id))
        merge = find_json(self._bucket, merge_report_key(self._dataset, run.run_id))
        waited = datetime.now(UTC) - datetime.fromisoformat(run.started_at)
        now = run.after(gate, merge, ended, waited.total_seconds())
        if now.state is State.FAILED and (resumed := find_resuming(self._workflow, run.run_id)):
            return self.look_at(replace(now, run_id=resumed, state=State.RUNNING, why=None))
        return now

    def keep(self, run: AttendedRun) -> None:
        def change(document: Mapping[str, Any] | None) -> dict[str, Any]:
            before = (document or {}).get(run.batch_id, {})
            took_batch = run.took_batch or before.get("took_batch", False)
            return {**(document or {}), run.batch_id: replace(run, took_batch=took_batch).to_json()}

        update_json(self._bucket, self._key(run.batch_id), change)

    def known(self, batch_id: str) -> dict[str, AttendedRun]:
        """What was kept of the runs over the batch and, of backfills, over the others of its date."""
        document = find_json(self._bucket, self._key(batch_id)) or {}
        return {batch_id: AttendedRun.from_json(run) for batch_id, run in document.items()}

    @property
    def most(self) -> int:
        """How many runs the workflow takes at once."""
        workflow = client("glue").get_workflow(Name=self._workflow)["Workflow"]
        return workflow.get("MaxConcurrentRuns") or 1000  # Glue's own quota, which is the account's

    def _key(self, batch_id: str) -> str:
        if self._trigger == "backfill":
            return backfill_key(self._dataset, date_of_batch(batch_id))
        return replay_key(self._dataset, batch_id)
