"""One run of a Glue job: its state, what GetJobRun answers of it, and the arguments its script sees."""

from __future__ import annotations

import hashlib
import subprocess
import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from moto.core.utils import utcnow
from moto.glue.models import FakeJob
from moto.moto_api._internal import mock_random

RunState = Literal["STARTING", "RUNNING", "STOPPING", "STOPPED", "SUCCEEDED", "FAILED", "TIMEOUT"]
ACTIVE: frozenset[RunState] = frozenset({"STARTING", "RUNNING", "STOPPING"})

LOG_GROUP = "/aws-glue/jobs"
DEFAULT_TIMEOUT_MINUTES = 480

# What Glue keeps for itself: its documentation says not to set them, and no script sees them.
UNSEEN_BY_SCRIPTS = frozenset({"--conf", "--debug", "--mode"})


@dataclass(frozen=True, slots=True)
class StartedBy:
    """The trigger, and the workflow run, that started a job run."""

    trigger: str
    workflow: str | None = None
    workflow_run_id: str | None = None
    predecessors: tuple[tuple[str, str], ...] = ()
    """Job name and run id of what the trigger waited for."""

    @property
    def arguments(self) -> dict[str, str]:
        if self.workflow is None or self.workflow_run_id is None:
            return {}
        return {"--WORKFLOW_NAME": self.workflow, "--WORKFLOW_RUN_ID": self.workflow_run_id}


@dataclass(eq=False)
class JobRun:
    """One attempt. Times are naive UTC, as everywhere in moto."""

    job: FakeJob
    overrides: dict[str, Any]
    """What StartJobRun gave beside arguments, by the API's field names."""
    run_arguments: dict[str, str]
    started_by: StartedBy | None = None
    attempt: int = 0
    previous_run_id: str | None = None
    job_run_id: str = field(default_factory=lambda: f"jr_{mock_random.get_random_hex(64)}")
    status: RunState = "STARTING"
    error_message: str | None = None
    started_on: datetime = field(default_factory=utcnow)
    modified_on: datetime = field(default_factory=utcnow)
    completed_on: datetime | None = None
    process: subprocess.Popen | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def timeout_minutes(self) -> int:
        return self.overrides.get("Timeout") or self.job.timeout or DEFAULT_TIMEOUT_MINUTES

    @property
    def effective_arguments(self) -> dict[str, str]:
        arguments = {**self.job.default_arguments, **self.run_arguments}
        return {**arguments, **(self.job.non_overridable_arguments or {})}

    @property
    def log_group(self) -> str:
        """What the names of the output and the error log group begin with."""
        return self.effective_arguments.get("--custom-logGroup-prefix") or LOG_GROUP

    def move_to(self, status: RunState, error_message: str | None = None) -> None:
        self.status = status
        self.modified_on = utcnow()
        if status not in ACTIVE:
            self.completed_on = self.modified_on
            self.error_message = error_message

    def advance(self) -> None:
        """moto moves its runs on when they are looked at; these move by themselves."""

    def as_dict(self) -> dict[str, Any]:
        job = self.job
        ended = self.completed_on or utcnow()
        fields = {
            "Id": self.job_run_id,
            "Attempt": self.attempt,
            "PreviousRunId": self.previous_run_id,
            "TriggerName": self.started_by.trigger if self.started_by else None,
            "JobName": job.name,
            "StartedOn": self.started_on,
            "LastModifiedOn": self.modified_on,
            "CompletedOn": self.completed_on,
            "JobRunState": self.status,
            "Arguments": self.run_arguments,
            "ErrorMessage": self.error_message,
            "PredecessorRuns": [
                {"JobName": name, "RunId": run_id}
                for name, run_id in (self.started_by.predecessors if self.started_by else ())
            ],
            "AllocatedCapacity": job.allocated_capacity,
            "ExecutionTime": round((ended - self.started_on).total_seconds()),
            "Timeout": self.timeout_minutes,
            "MaxCapacity": job.max_capacity,
            "WorkerType": job.worker_type,
            "NumberOfWorkers": job.number_of_workers,
            "SecurityConfiguration": job.security_configuration,
            "NotificationProperty": job.notification_property,
            "LogGroupName": self.log_group,
            "GlueVersion": job.glue_version,
            "ExecutionClass": job.execution_class,
        }
        return {name: value for name, value in {**fields, **self.overrides}.items() if value is not None}


def script_arguments(run: JobRun) -> list[str]:
    """argv after the script's name: `--name value` pairs, Glue's own first."""
    own = {"--JOB_ID": f"j_{_job_id(run.job)}", "--JOB_RUN_ID": run.job_run_id, "--JOB_NAME": run.job.name}
    given = {name: value for name, value in run.effective_arguments.items() if name not in UNSEEN_BY_SCRIPTS}
    return [str(part) for pair in {**given, **own}.items() for part in pair]


def _job_id(job: FakeJob) -> str:
    return hashlib.sha256(job.arn.encode()).hexdigest()
