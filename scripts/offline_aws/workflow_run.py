"""One run of a Glue workflow: it walks the deployed triggers and starts their jobs and crawlers.

Within a run each trigger fires at most once. A run ends when nothing runs and nothing more can fire; it is
COMPLETED then, whatever became of its jobs, as on AWS.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from moto.core.utils import utcnow
from moto.glue.exceptions import (
    GlueClientError,
    InvalidInputException,
)
from moto.glue.models import FakeTrigger, FakeWorkflow, GlueBackend
from moto.glue.utils import Action, Condition, Logical
from moto.moto_api._internal import mock_random

from scripts.offline_aws.glue_jobs import job_runner
from scripts.offline_aws.job_runs import JobRun, StartedBy

log = logging.getLogger("offline_aws.workflow_run")

Kind = Literal["TRIGGER", "JOB", "CRAWLER"]
RunStatus = Literal["RUNNING", "COMPLETED", "STOPPING", "STOPPED"]
Key = tuple[Kind, str]

START_TYPES = ("ON_DEMAND", "SCHEDULED", "EVENT")
COUNTED_AS = {
    "SUCCEEDED": "SucceededActions",
    "FAILED": "FailedActions",
    "TIMEOUT": "TimeoutActions",
    "STOPPED": "StoppedActions",
    "ERROR": "ErroredActions",
}


@dataclass(eq=False)
class Crawl:
    """What a workflow run knows of one run of a crawler."""

    state: str = "RUNNING"
    error_message: str | None = None
    started_on: datetime = field(default_factory=utcnow)
    completed_on: datetime | None = None

    def as_dict(self) -> dict[str, Any]:
        fields = {
            "State": self.state,
            "StartedOn": self.started_on,
            "CompletedOn": self.completed_on,
            "ErrorMessage": self.error_message,
            "LogGroup": "/aws-glue/crawlers",
        }
        return {name: value for name, value in fields.items() if value is not None}


@dataclass(eq=False)
class Node:
    """A trigger, job or crawler of the workflow, and what came of it so far."""

    kind: Kind
    name: str
    unique_id: str = field(default_factory=lambda: f"wnode_{mock_random.get_random_hex(64)}")
    runs: list[JobRun | Crawl] = field(default_factory=list)
    """Every run, the newest last; of a node that a resumed run does not run again, those before it."""
    is_running: bool = False
    outcome: str | None = None
    """The state that conditions are compared with; None until there is one."""
    started_by: str | None = None
    """The trigger that started it, for a job or crawler that a run attempted."""
    has_fired: bool = False

    @property
    def details(self) -> dict[str, Any]:
        name = {"JOB": "JobDetails", "CRAWLER": "CrawlerDetails"}.get(self.kind)
        if name is None:
            return {}
        return {name: {"JobRuns" if self.kind == "JOB" else "Crawls": [run.as_dict() for run in self.runs]}}


class WorkflowRun:
    """One run; its own thread alone changes its nodes."""

    def __init__(
        self,
        backend: GlueBackend,
        workflow: FakeWorkflow,
        properties: dict[str, str],
        resumed: WorkflowRun | None = None,
    ) -> None:
        self.backend = backend
        self.workflow_name = workflow.name
        self.properties = properties
        self.run_id = f"wr_{mock_random.get_random_hex(64)}"
        self.previous_run_id = resumed.run_id if resumed else None
        self.status: RunStatus = "RUNNING"
        self.started_on = utcnow()
        self.completed_on: datetime | None = None
        self.triggers = [t for t in backend.triggers.values() if t.workflow_name == workflow.name]
        self.nodes: dict[Key, Node] = {}
        for trigger in self.triggers:
            for key in (("TRIGGER", trigger.name), *map(_action_key, trigger.actions)):
                self._add(key, resumed.nodes.get(key) if resumed else None)
        self._ended: queue.Queue[tuple[Key, str, JobRun | None]] = queue.Queue()

    def _add(self, key: Key, before: Node | None) -> None:
        if key in self.nodes:
            return
        node = self.nodes[key] = Node(*key)
        if before:
            node.unique_id, node.runs = before.unique_id, list(before.runs)
            node.outcome, node.started_by = before.outcome, before.started_by
            node.has_fired = before.has_fired

    def start(self) -> None:
        self._in_background(lambda: self._fire(self.find_start_trigger()))

    def restart(self, keys: list[Key]) -> list[Key]:
        """Run these nodes again, and everything that follows from them.

        Of two that depend on each other only the upper one is started, and named in the answer; the graph
        does the rest. It shows what ran before for nodes alone that are not run again.
        """
        below = {key: set(self._downstream(key)) for key in keys}
        for key in {*keys, *(key for keys_below in below.values() for key in keys_below)}:
            self.nodes[key].outcome = None
            self.nodes[key].has_fired = False
            self.nodes[key].runs = []
        first = [key for key in keys if not any(key in below[other] for other in keys if other != key)]

        def start_first() -> None:
            for key in first:
                trigger = self.backend.get_trigger(self.nodes[key].started_by or "")
                action = next(action for action in trigger.actions if _action_key(action) == key)
                self._start_action(action, trigger)

        self._in_background(start_first)
        return first

    def stop(self) -> None:
        """Stop what can be stopped, jobs; a crawler that runs is waited for."""
        self.status = "STOPPING"
        for node in self.nodes.values():
            if node.is_running and node.runs and isinstance(node.runs[-1], JobRun):
                job_runner().stop(node.runs[-1])

    def find_start_trigger(self) -> FakeTrigger:
        for trigger in self.triggers:
            if trigger.trigger_type in START_TYPES:
                return trigger
        raise InvalidInputException(
            "StartWorkflowRun", f"Workflow {self.workflow_name} has no trigger that starts it"
        )

    def _in_background(self, begin: Callable[[], None]) -> None:
        threading.Thread(target=self._drive, args=(begin,), name=self.run_id[:12], daemon=True).start()

    def _drive(self, begin: Callable[[], None]) -> None:
        try:
            begin()
            while any(node.is_running for node in self.nodes.values()):
                key, outcome, run = self._ended.get()
                node = self.nodes[key]
                node.is_running, node.outcome = False, outcome
                if run and run not in node.runs:  # a retry of the run that was started here
                    node.runs.append(run)
                for trigger in self._ready():
                    self._fire(trigger)
        except Exception:
            log.exception("%s: the offline AWS itself failed", self.run_id)
        self.status = "STOPPED" if self.status == "STOPPING" else "COMPLETED"
        self.completed_on = utcnow()
        log.info("%s %s %s %s", self.workflow_name, self.run_id, self.status, self.statistics())

    def _ready(self) -> list[FakeTrigger]:
        if self.status == "STOPPING":
            return []
        return [
            trigger
            for trigger in self.triggers
            if trigger.trigger_type == "CONDITIONAL"
            and trigger.state == "ACTIVATED"
            and not self.nodes["TRIGGER", trigger.name].has_fired
            and self._holds(trigger)
        ]

    def _holds(self, trigger: FakeTrigger) -> bool:
        if not trigger.predicate or not trigger.predicate.conditions:
            return False
        met = (self._is_met(condition) for condition in trigger.predicate.conditions)
        return any(met) if trigger.predicate.logical is Logical.ANY else all(met)

    def _is_met(self, condition: Condition) -> bool:
        node = self.nodes.get(_condition_key(condition))
        wanted = condition.state or condition.crawl_state
        return node is not None and wanted is not None and node.outcome == wanted.value

    def _fire(self, trigger: FakeTrigger) -> None:
        self.nodes["TRIGGER", trigger.name].has_fired = True
        for action in trigger.actions:
            if self.status != "STOPPING":
                self._start_action(action, trigger)

    def _start_action(self, action: Action, trigger: FakeTrigger) -> None:
        key = _action_key(action)
        node = self.nodes[key]
        node.outcome, node.started_by, node.is_running = None, trigger.name, True
        if node.kind == "CRAWLER":
            crawl = Crawl()
            node.runs.append(crawl)
            threading.Thread(target=self._crawl, args=(key, crawl), daemon=True).start()
            return

        def ended(run: JobRun) -> None:
            self._ended.put((key, run.status, run))

        try:
            node.runs.append(start_job_action(self.backend, action, self._started_by(trigger), ended))
        except GlueClientError as error:
            log.warning("%s cannot start job %s: %s", self.run_id, node.name, error.message)
            self._ended.put((key, "ERROR", None))
            return
        if self.status == "STOPPING":  # stop() came while the job was being started
            job_runner().stop(node.runs[-1])

    def _started_by(self, trigger: FakeTrigger) -> StartedBy:
        conditions = trigger.predicate.conditions if trigger.predicate else []
        waited_for = (self.nodes.get(_condition_key(condition)) for condition in conditions)
        predecessors = tuple(
            (node.name, node.runs[-1].job_run_id)
            for node in waited_for
            if node and node.runs and isinstance(node.runs[-1], JobRun)
        )
        return StartedBy(trigger.name, self.workflow_name, self.run_id, predecessors)

    def _crawl(self, key: Key, crawl: Crawl) -> None:
        crawl.state, crawl.error_message = run_crawler_action(self.backend, key[1])
        crawl.completed_on = utcnow()
        self._ended.put((key, crawl.state, None))

    def _downstream(self, key: Key) -> Iterator[Key]:
        """Every trigger and action that follows from `key`; a cycle cannot be deployed."""
        for trigger in self.triggers:
            conditions = trigger.predicate.conditions if trigger.predicate else []
            if any(_condition_key(condition) == key for condition in conditions):
                yield "TRIGGER", trigger.name
                for action in trigger.actions:
                    yield _action_key(action)
                    yield from self._downstream(_action_key(action))

    def statistics(self) -> dict[str, int]:
        actions = [node for node in self.nodes.values() if node.kind != "TRIGGER"]
        counts = dict.fromkeys(COUNTED_AS.values(), 0)
        for node in actions:
            if node.outcome in COUNTED_AS:
                counts[COUNTED_AS[node.outcome]] += 1
        running = sum(node.is_running for node in actions)
        return {"TotalActions": len(actions), **counts, "RunningActions": running, "WaitingActions": 0}

    def graph(self) -> dict[str, Any]:
        triggers = {trigger.name: trigger for trigger in self.triggers}
        nodes, edges = [], []
        for (kind, name), node in self.nodes.items():
            details = node.details
            if kind == "TRIGGER":
                details = {"TriggerDetails": {"Trigger": triggers[name].as_dict()}}
            nodes.append({"Type": kind, "Name": name, "UniqueId": node.unique_id, **details})
        for trigger in self.triggers:
            own = self.nodes["TRIGGER", trigger.name].unique_id
            for condition in trigger.predicate.conditions if trigger.predicate else []:
                if source := self.nodes.get(_condition_key(condition)):
                    edges.append({"SourceId": source.unique_id, "DestinationId": own})
            for action in trigger.actions:
                edges.append({"SourceId": own, "DestinationId": self.nodes[_action_key(action)].unique_id})
        return {"Nodes": nodes, "Edges": edges}

    def as_dict(self, include_graph: bool = False) -> dict[str, Any]:
        fields = {
            "Name": self.workflow_name,
            "WorkflowRunId": self.run_id,
            "PreviousRunId": self.previous_run_id,
            "WorkflowRunProperties": self.properties,
            "StartedOn": self.started_on,
            "CompletedOn": self.completed_on,
            "Status": self.status,
            "Statistics": self.statistics(),
            "Graph": self.graph() if include_graph else None,
        }
        return {name: value for name, value in fields.items() if value is not None}


def _action_key(action: Action) -> Key:
    return ("JOB", action.job_name) if action.job_name else ("CRAWLER", action.crawler_name)


def _condition_key(condition: Condition) -> Key:
    return ("JOB", condition.job_name) if condition.job_name else ("CRAWLER", condition.crawler_name)


def start_job_action(
    backend: GlueBackend, action: Action, started_by: StartedBy, when_ended: Callable[[JobRun], None]
) -> JobRun:
    overrides = {
        "Timeout": action.timeout,
        "SecurityConfiguration": action.security_configuration,
        "NotificationProperty": action.notification_property,
    }
    given = {name: value for name, value in overrides.items() if value is not None}
    job = backend.get_job(action.job_name)
    return job_runner().start(job, action.arguments, given, started_by, when_ended)


def run_crawler_action(backend: GlueBackend, name: str) -> tuple[str, str | None]:
    """Crawl in this thread; the crawl's state, and the reason when it failed."""
    from scripts.offline_aws.crawler import run_crawler

    try:
        state = run_crawler(backend.account_id, backend.region_name, name)
    except Exception as error:
        log.exception("crawler %s", name)
        return "FAILED", f"{type(error).__name__}: {error}"
    return (state if state in COUNTED_AS else "SUCCEEDED"), None
