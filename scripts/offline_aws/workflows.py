"""Glue's workflow operations: start, stop, resume and describe runs that run."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

from moto.core.responses import ActionResult
from moto.glue.exceptions import (
    ConcurrentRunsExceededException,
    EntityNotFoundException,
    GlueClientError,
)
from moto.glue.models import FakeTrigger, FakeWorkflow, GlueBackend
from moto.glue.responses import GlueResponse

from scripts.offline_aws.job_runs import StartedBy
from scripts.offline_aws.state import ServerState
from scripts.offline_aws.workflow_run import Key, WorkflowRun, run_crawler_action, start_job_action

_admission = threading.Lock()


class IllegalWorkflowStateException(GlueClientError):
    """moto has one of this name, with a code that is not Glue's."""

    def __init__(self, message: str) -> None:
        super().__init__("IllegalWorkflowStateException", message)


def start_workflow_run(
    backend: GlueBackend, name: str, properties: dict[str, str] | None = None
) -> WorkflowRun:
    """Start a run of the deployed workflow; its default properties hold unless `properties` says else."""
    workflow = _workflow(backend, name)
    run = WorkflowRun(backend, workflow, {**(workflow.default_run_properties or {}), **(properties or {})})
    run.find_start_trigger()  # refuses a workflow that has none
    _admit(workflow, run)
    run.start()
    return run


def _workflow(backend: GlueBackend, name: str) -> FakeWorkflow:
    try:
        return backend.workflows[name]
    except KeyError:
        raise EntityNotFoundException("Entity not found") from None


def _admit(workflow: FakeWorkflow, run: WorkflowRun) -> None:
    """Register the run before it starts, because its jobs ask for its properties."""
    with _admission:
        active = sum(other.status in ("RUNNING", "STOPPING") for other in workflow.runs.values())
        if workflow.max_concurrent_runs and active >= workflow.max_concurrent_runs:
            raise ConcurrentRunsExceededException(f"Concurrent runs exceeded for workflow {workflow.name}.")
        workflow.runs[run.run_id] = run


def resume_workflow_run(
    backend: GlueBackend, name: str, run_id: str, node_ids: list[str]
) -> tuple[WorkflowRun, list[str]]:
    """Run the named nodes of a completed run and what follows from them, as a run with an id of its own.

    Answers the run, and the ids of the nodes that it begins with. Whether it has the properties of the run it
    resumes is not documented, so here it has the workflow's defaults alone, and nobody comes to rely on more.
    """
    workflow = _workflow(backend, name)
    before: WorkflowRun = workflow.get_run(run_id)
    if before.status != "COMPLETED":
        raise IllegalWorkflowStateException(f"Workflow run {run_id} is {before.status}, not COMPLETED")
    keys = list(_attempted(before, node_ids))
    run = WorkflowRun(backend, workflow, dict(workflow.default_run_properties or {}), resumed=before)
    _admit(workflow, run)
    return run, [run.nodes[key].unique_id for key in run.restart(keys)]


def _attempted(run: WorkflowRun, node_ids: Iterable[str]) -> Iterator[Key]:
    by_id = {node.unique_id: (key, node) for key, node in run.nodes.items()}
    for node_id in node_ids:
        if node_id not in by_id:
            raise EntityNotFoundException(f"Node {node_id} is not in workflow run {run.run_id}")
        key, node = by_id[node_id]
        if node.kind == "TRIGGER" or node.started_by is None:
            raise IllegalWorkflowStateException(
                f"Node {node_id} is no job or crawler that run {run.run_id} attempted to run"
            )
        yield key


def fire_on_demand(backend: GlueBackend, trigger: FakeTrigger) -> None:
    """StartTrigger of an ON_DEMAND trigger: it starts its workflow, or its actions when it has none."""
    if trigger.workflow_name:
        start_workflow_run(backend, trigger.workflow_name)
        return
    for action in trigger.actions:
        if action.job_name:
            start_job_action(backend, action, StartedBy(trigger.name), lambda run: None)
        else:
            threading.Thread(
                target=run_crawler_action, args=(backend, action.crawler_name), daemon=True
            ).start()


def install(state: ServerState) -> None:
    def start(self: GlueResponse) -> ActionResult:
        asked = self.parameters
        run = start_workflow_run(self.glue_backend, asked["Name"], asked.get("RunProperties"))
        return ActionResult({"RunId": run.run_id})

    def resume(self: GlueResponse) -> ActionResult:
        asked = self.parameters
        run, node_ids = resume_workflow_run(
            self.glue_backend, asked["Name"], asked["RunId"], asked["NodeIds"]
        )
        return ActionResult({"RunId": run.run_id, "NodeIds": node_ids})

    def stop(self: FakeWorkflow, run_id: str) -> None:
        run: WorkflowRun = self.get_run(run_id)
        if run.status != "RUNNING":
            raise IllegalWorkflowStateException(f"Workflow run {run_id} is {run.status}, not RUNNING")
        run.stop()

    def get_run(self: GlueResponse) -> ActionResult:
        asked = self.parameters
        run = _workflow(self.glue_backend, asked["Name"]).get_run(asked["RunId"])
        return ActionResult({"Run": run.as_dict(asked.get("IncludeGraph", False))})

    def get_runs(self: GlueResponse) -> ActionResult:
        asked = self.parameters
        newest_first = list(reversed(_workflow(self.glue_backend, asked["Name"]).runs.values()))
        begin, limit = int(asked.get("NextToken") or 0), asked.get("MaxResults", 1000)
        page = newest_first[begin : begin + limit]
        more = str(begin + limit) if begin + limit < len(newest_first) else None
        runs = [run.as_dict(asked.get("IncludeGraph", False)) for run in page]
        return ActionResult({"Runs": runs, "NextToken": more})

    def get_workflow(self: GlueResponse) -> ActionResult:
        workflow = _workflow(self.glue_backend, self.parameters["Name"])
        described = workflow.as_dict()
        if self.parameters.get("IncludeGraph"):
            described["Graph"] = WorkflowRun(self.glue_backend, workflow, {}).graph()
        return ActionResult({"Workflow": described})

    def start_trigger(self: GlueBackend, name: str) -> None:
        trigger = self.get_trigger(name)
        if trigger.trigger_type == "ON_DEMAND":
            fire_on_demand(self, trigger)  # and its state stays CREATED
        else:
            trigger.start_trigger()

    GlueResponse.start_workflow_run = start
    GlueResponse.resume_workflow_run = resume
    GlueResponse.get_workflow_run = get_run
    GlueResponse.get_workflow = get_workflow
    GlueResponse.get_workflow_runs = get_runs
    GlueBackend.start_trigger = start_trigger
    FakeWorkflow.stop_run = stop
