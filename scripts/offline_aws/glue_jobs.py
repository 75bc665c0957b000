"""Glue job runs that run: the deployed script and wheels, as a process, under the job's role."""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from moto.core.responses import ActionResult
from moto.events.models import events_backends
from moto.glue.exceptions import ConcurrentRunsExceededException, JobRunNotFoundException
from moto.glue.models import FakeJob
from moto.glue.responses import GlueResponse

from scripts.offline_aws.execution import (
    CodeMissing,
    RoleNotAssumable,
    assume_service_role,
    clean_environment,
    ended_in_time,
    publish_log,
    python_command,
    read_object,
    unpack_once,
)
from scripts.offline_aws.guard import spawn_guarded
from scripts.offline_aws.job_runs import ACTIVE, JobRun, RunState, StartedBy, script_arguments
from scripts.offline_aws.python_modules import ModulesUnavailable, provide_modules
from scripts.offline_aws.spark_runtime import (
    PACKAGES,
    SparkMissing,
    parse_conf,
    require_spark,
    spark_environment,
)
from scripts.offline_aws.state import ServerState

log = logging.getLogger("offline_aws.glue_jobs")

RUNTIME = Path(__file__).parent / "glue_runtime"
TIMEOUT_UNIT_SECONDS = 60

# The severity and, where Glue has a fixed one, the message of a "Glue Job State Change" event.
EVENTS: dict[RunState, tuple[str, str | None]] = {
    "SUCCEEDED": ("INFO", "Job run succeeded"),
    "FAILED": ("ERROR", None),
    "TIMEOUT": ("WARN", "Job run timed out"),
    "STOPPED": ("INFO", "Job run stopped"),
}


WhenEnded = Callable[[JobRun], None]


class JobRunner:
    def __init__(self, state: ServerState) -> None:
        self.state = state
        self._admission = threading.Lock()

    def start(
        self,
        job: FakeJob,
        arguments: dict[str, str] | None = None,
        overrides: dict[str, Any] | None = None,
        started_by: StartedBy | None = None,
        when_ended: WhenEnded | None = None,
    ) -> JobRun:
        """Start a run and come back; `when_ended` gets the last attempt's run, once, in its thread."""
        allowed = job.execution_property.get("MaxConcurrentRuns", 1)
        run_arguments = {**(arguments or {}), **(started_by.arguments if started_by else {})}
        run = JobRun(job, overrides or {}, run_arguments, started_by)
        with self._admission:
            if sum(run.status in ACTIVE for run in job.job_runs) >= allowed:
                raise ConcurrentRunsExceededException(f"Concurrent runs exceeded for {job.name}")
            job.job_runs.append(run)
        self._run_in_background(run, when_ended)
        return run

    def stop(self, run: JobRun) -> bool:
        """Ask a run to stop; False when it has ended."""
        with run.lock:
            if run.status not in ACTIVE:
                return False
            run.move_to("STOPPING")
            process = run.process
        if process is not None:
            process.kill()
        return True

    def _run_in_background(self, run: JobRun, when_ended: WhenEnded | None) -> None:
        threading.Thread(
            target=self._run_to_end, args=(run, when_ended), name=run.job_run_id[:12], daemon=True
        ).start()

    def _run_to_end(self, run: JobRun, when_ended: WhenEnded | None) -> None:
        try:
            self._execute(run)
        except Exception as error:
            log.exception("%s: the offline AWS itself failed", run.job_run_id)
            run.move_to("FAILED", f"offline AWS: {type(error).__name__}: {error}")
        self._put_event(run)
        if run.status in ("FAILED", "TIMEOUT") and run.attempt < (run.job.max_retries or 0):
            again = JobRun(
                run.job, run.overrides, run.run_arguments, run.started_by, run.attempt + 1, run.job_run_id
            )
            run.job.job_runs.append(again)
            self._run_in_background(again, when_ended)
        elif when_ended:
            when_ended(run)

    def _execute(self, run: JobRun) -> None:
        folder = Path(tempfile.mkdtemp(dir=self.state.tmp_dir, prefix="glue-"))
        try:
            state, message = self._run_script(run, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        with run.lock:
            run.process = None
            if run.status == "STOPPING":
                state, message = "STOPPED", None
            run.move_to(state, message)
        log.info("%s %s %s %s", run.job.name, run.job_run_id, state, message or "")

    def _run_script(self, run: JobRun, folder: Path) -> tuple[RunState, str | None]:
        try:
            script = self._download_script(run.job, folder)
            modules = provide_modules(
                run.effective_arguments.get("--additional-python-modules", ""),
                read=lambda uri: read_object(self.state, uri),
                unpack=lambda wheel: unpack_once(wheel, self.state.state_dir / "glue"),
            )
            spark = self._spark(run, folder)
            credentials = assume_service_role(
                self.state, run.job.role, "glue.amazonaws.com", "GlueJobRunnerSession"
            )
        except (CodeMissing, ModulesUnavailable, SparkMissing) as error:
            return self._failed_to_launch(run, f"LAUNCH ERROR | {error}")
        except RoleNotAssumable as error:
            return self._failed_to_launch(
                run,
                f"JobName:{run.job.name} and JobRunId:{run.job_run_id} failed to execute with exception "
                f"Role {error} should be given assume role permissions for Glue Service.",
            )
        error_file = folder / ".error"
        command = python_command(RUNTIME / "runner.py", str(error_file), str(script), *script_arguments(run))
        work = folder / "work"
        work.mkdir()
        packages = [PACKAGES] if spark else []
        environment = clean_environment(self.state, credentials, work, [*modules, RUNTIME, *packages]) | spark
        with (
            self._log_file(run, "out").open("wb") as stdout,
            self._log_file(run, "err").open("wb") as stderr,
        ):
            with run.lock:
                if run.status == "STOPPING":
                    return "STOPPED", None
                run.process = spawn_guarded(command, environment, work, stdout, stderr)
                run.move_to("RUNNING")
                process = run.process
            ended = ended_in_time(process, run.timeout_minutes * TIMEOUT_UNIT_SECONDS)
        self._publish_logs(run)
        if not ended:
            return "TIMEOUT", "Job run timed out"
        if process.returncode == 0:
            return "SUCCEEDED", None
        with contextlib.suppress(FileNotFoundError):
            return "FAILED", error_file.read_text(encoding="utf-8")
        return "FAILED", f"Command failed with exit code {process.returncode}"

    def _spark(self, run: JobRun, folder: Path) -> dict[str, str]:
        """What a job that asks for Iceberg on Spark finds in its environment.

        Glue gives Spark to every job of this type. Here one that does not ask for it is spared its start.
        """
        arguments = run.effective_arguments
        if "iceberg" not in arguments.get("--datalake-formats", ""):
            return {}
        require_spark()
        return spark_environment(self.state.endpoint, parse_conf(arguments.get("--conf", "")), folder)

    def _download_script(self, job: FakeJob, folder: Path) -> Path:
        location = job.command["ScriptLocation"]  # type: ignore[index]
        script = folder / location.rsplit("/", 1)[-1]
        script.write_bytes(read_object(self.state, location))
        return script

    def _failed_to_launch(self, run: JobRun, message: str) -> tuple[RunState, str]:
        self._log_file(run, "err").write_text(message + "\n", encoding="utf-8")
        self._log_file(run, "out").touch()
        self._publish_logs(run)
        return "FAILED", message

    def _log_file(self, run: JobRun, suffix: str) -> Path:
        return self.state.logs_dir / f"{run.job_run_id}.{suffix}"

    def _publish_logs(self, run: JobRun) -> None:
        for suffix, group in (("out", "output"), ("err", "error")):
            text = self._log_file(run, suffix).read_text(encoding="utf-8", errors="replace")
            publish_log(self.state, f"{run.log_group}/{group}", run.job_run_id, text)

    def _put_event(self, run: JobRun) -> None:
        severity, message = EVENTS[run.status]
        detail = {
            "jobName": run.job.name,
            "severity": severity,
            "state": run.status,
            "jobRunId": run.job_run_id,
            "message": message or run.error_message,
        }
        event = {
            "Source": "aws.glue",
            "DetailType": "Glue Job State Change",
            "Detail": json.dumps(detail),
            "Resources": [],
        }
        try:
            events_backends[self.state.account_id][self.state.region].put_events([event])
        except Exception:
            log.exception("%s: its event could not be delivered", run.job_run_id)


_runner: JobRunner | None = None


def job_runner() -> JobRunner:
    """The runner of the server in this process; workflows start their jobs with it."""
    assert _runner is not None, "install() comes first"
    return _runner


def install(state: ServerState) -> None:
    global _runner
    runner = _runner = JobRunner(state)

    def start_job_run(self: GlueResponse) -> ActionResult:
        asked = self.parameters
        job = self.glue_backend.get_job(asked["JobName"])
        overrides = {
            name: asked[name]
            for name in (
                "AllocatedCapacity",
                "Timeout",
                "MaxCapacity",
                "WorkerType",
                "NumberOfWorkers",
                "SecurityConfiguration",
                "NotificationProperty",
                "ExecutionClass",
            )
            if asked.get(name) is not None
        }
        if previous := asked.get("JobRunId"):  # a retry of that run, with its arguments
            earlier = job.get_job_run(previous)
            asked = {**asked, "Arguments": {**earlier.run_arguments, **asked.get("Arguments", {})}}
        run = runner.start(job, asked.get("Arguments"), overrides)
        run.previous_run_id = previous
        return ActionResult({"JobRunId": run.job_run_id})

    def get_job_run(self: FakeJob, run_id: str) -> JobRun:
        for run in self.job_runs:
            if run.job_run_id == run_id:
                return run
        raise JobRunNotFoundException(run_id)

    def get_job_runs(self: FakeJob) -> list[JobRun]:
        return list(reversed(self.job_runs))  # the newest first, as Glue lists them

    def batch_stop_job_run(self: GlueResponse) -> ActionResult:
        name, run_ids = self.parameters["JobName"], self.parameters["JobRunIds"]
        job = self.glue_backend.get_job(name)
        stopped, errors = [], []
        for run_id in run_ids:
            try:
                could_stop = runner.stop(job.get_job_run(run_id))
                reason, message = "InvalidInputException", "The job run has ended."
            except JobRunNotFoundException as error:
                could_stop, reason, message = False, "EntityNotFoundException", error.message
            if could_stop:
                stopped.append({"JobName": name, "JobRunId": run_id})
            else:
                detail = {"ErrorCode": reason, "ErrorMessage": message}
                errors.append({"JobName": name, "JobRunId": run_id, "ErrorDetail": detail})
        return ActionResult({"SuccessfulSubmissions": stopped, "Errors": errors})

    GlueResponse.start_job_run = start_job_run
    GlueResponse.batch_stop_job_run = batch_stop_job_run
    FakeJob.get_job_run = get_job_run
    FakeJob.get_job_runs = get_job_runs
