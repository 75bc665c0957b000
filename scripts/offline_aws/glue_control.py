"""Glue's control plane: what Terraform asks for jobs, crawlers and triggers, and moto lacks or drops."""

from __future__ import annotations

import re
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow
from moto.glue.exceptions import CrawlerRunningException, InvalidInputException
from moto.glue.models import FakeCrawler, FakeJob, FakeTrigger
from moto.glue.responses import GlueResponse
from moto.glue.utils import Action, Predicate

from scripts.offline_aws.state import ServerState

JOB_FIELDS = (
    "AllocatedCapacity",
    "CodeGenConfigurationNodes",
    "Command",
    "Connections",
    "DefaultArguments",
    "Description",
    "ExecutionClass",
    "ExecutionProperty",
    "GlueVersion",
    "LogUri",
    "MaxCapacity",
    "MaxRetries",
    "NonOverridableArguments",
    "NotificationProperty",
    "NumberOfWorkers",
    "Role",
    "SecurityConfiguration",
    "SourceControlDetails",
    "Timeout",
    "WorkerType",
)
"""Fields of a job that moto keeps, each as an attribute in snake_case."""

JOB_FIELDS_MOTO_DROPS = ("JobMode", "JobRunQueuingEnabled", "MaintenanceWindow")

CRAWLER_FIELDS = (
    "Classifiers",
    "Configuration",
    "CrawlerSecurityConfiguration",
    "DatabaseName",
    "Description",
    "LineageConfiguration",
    "RecrawlPolicy",
    "Role",
    "Schedule",
    "SchemaChangePolicy",
    "TablePrefix",
    "Targets",
)


def install(_: ServerState) -> None:
    _keep_dropped_job_fields()
    _keep_lake_formation_configuration()
    _make_logical_optional()
    GlueResponse.update_job = _update_job
    GlueResponse.update_crawler = _update_crawler
    GlueResponse.update_trigger = _update_trigger


def _update_job(self: GlueResponse) -> ActionResult:
    """UpdateJob: "the previous job definition is completely overwritten by this information"."""
    name, update = self.parameters["JobName"], self.parameters["JobUpdate"]
    job = self.glue_backend.get_job(name)
    if "Role" not in update or "Command" not in update:
        raise InvalidInputException("UpdateJob", "Role and Command are required")
    defaults = {"DefaultArguments": {}, "ExecutionProperty": {}}
    for field in JOB_FIELDS:
        setattr(job, _snake_case(field), update.get(field, defaults.get(field)))
    job.dropped_fields = {field: update[field] for field in JOB_FIELDS_MOTO_DROPS if field in update}
    job.last_modified_on = utcnow()
    return ActionResult({"JobName": name})


def _update_crawler(self: GlueResponse) -> EmptyResult:
    """UpdateCrawler changes the fields that are given; a running crawler cannot be updated."""
    crawler = self.glue_backend.get_crawler(self.parameters["Name"])
    if crawler.status == "RUNNING":
        raise CrawlerRunningException(f"Crawler with name {crawler.name} is running")
    for field in CRAWLER_FIELDS:
        if field in self.parameters:
            setattr(crawler, _snake_case(field), self.parameters[field])
    if "LakeFormationConfiguration" in self.parameters:
        crawler.lake_formation_configuration = self.parameters["LakeFormationConfiguration"]
    crawler.last_updated = utcnow()
    crawler.version += 1
    return EmptyResult()


def _update_trigger(self: GlueResponse) -> ActionResult:
    """UpdateTrigger "overwrites the previous trigger definition completely", but for type and state."""
    update = self.parameters["TriggerUpdate"]
    trigger: FakeTrigger = self.glue_backend.get_trigger(self.parameters["Name"])
    predicate = update.get("Predicate")
    if trigger.trigger_type == "CONDITIONAL" and not predicate:
        raise InvalidInputException("UpdateTrigger", "Predicate cannot be null or empty")
    trigger.description = update.get("Description")
    trigger.schedule = update.get("Schedule")
    trigger.actions = [Action(action) for action in update.get("Actions", [])]
    trigger.predicate = Predicate(predicate) if predicate else None
    trigger.event_batching_condition = update.get("EventBatchingCondition")
    return ActionResult({"Trigger": trigger.as_dict()})


def _keep_dropped_job_fields() -> None:
    create_job, as_dict = GlueResponse.create_job, FakeJob.as_dict

    def create_and_keep(self: GlueResponse) -> ActionResult:
        answer = create_job(self)
        job = self.glue_backend.get_job(self.parameters["Name"])
        job.dropped_fields = {
            field: self.parameters[field] for field in JOB_FIELDS_MOTO_DROPS if field in self.parameters
        }
        # moto answers STANDARD for a job that names no class; Glue answers none, and so plans stay empty.
        job.execution_class = self.parameters.get("ExecutionClass")
        return answer

    def as_dict_with_kept(self: FakeJob) -> dict[str, Any]:
        return {**as_dict(self), **getattr(self, "dropped_fields", {})}

    GlueResponse.create_job = create_and_keep
    FakeJob.as_dict = as_dict_with_kept


def _keep_lake_formation_configuration() -> None:
    create_crawler, as_dict = GlueResponse.create_crawler, FakeCrawler.as_dict

    def create_and_keep(self: GlueResponse) -> EmptyResult:
        answer = create_crawler(self)
        crawler = self.glue_backend.get_crawler(self.parameters["Name"])
        crawler.lake_formation_configuration = self.parameters.get("LakeFormationConfiguration")
        return answer

    def as_dict_with_kept(self: FakeCrawler) -> dict[str, Any]:
        described = as_dict(self)
        kept = getattr(self, "lake_formation_configuration", None)
        # Glue answers the configuration of every crawler, switched off where none was given.
        described["LakeFormationConfiguration"] = kept or {
            "UseLakeFormationCredentials": False,
            "AccountId": "",
        }
        return described

    GlueResponse.create_crawler = create_and_keep
    FakeCrawler.as_dict = as_dict_with_kept


def _make_logical_optional() -> None:
    """Predicate.Logical is "an optional field if only one condition is listed"; moto fails without it."""
    init = Predicate.__init__

    def init_with_default(self: Predicate, inputs: dict[str, Any]) -> None:
        init(self, {"Logical": "AND", **inputs})

    Predicate.__init__ = init_with_default


def _snake_case(field: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", field).lower()
