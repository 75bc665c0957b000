"""On real workflow runs: what failed is resumed there, three times, and then a human hears of it."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from lakes import ALake
from rich.console import Console

from etl.alert import AlertKind
from etl.aws import alerts
from etl.aws.cases import change_case
from etl.batch import MergeMode, to_run_properties
from etl.errors import ArgumentsInvalid, GateRejected, LakegateError
from etl.glue_jobs import entry
from etl.lambdas import handle_failure, resume_run
from etl.operations.failure import JobError
from etl.run_files import error_key
from scripts.replay_run import replay_run

Event = dict[str, Any]
GLUE_TRUST = {"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}


@dataclass(frozen=True, slots=True)
class Flow:
    """A workflow of two jobs that do nothing: the gate succeeds, the merge fails until it is mended."""

    lake: ALake
    name: str
    retries: str

    @property
    def glue(self) -> Any:
        return self.lake.client("glue")

    def job(self, step: str) -> str:
        return f"{self.name}-{step}"

    def mend(self, step: str) -> None:
        self.lake.client("s3").put_object(
            Bucket=self.lake.bucket("artifacts"), Key=f"jobs/{step}.py", Body=b"pass\n"
        )

    def start(self, **properties: str) -> str:
        """Start a run for a landed file, and wait for its end."""
        given = to_run_properties(self.lake.land(b"name,age\n"), MergeMode.UPSERT, "landed") | properties
        return self.ended(self.glue.start_workflow_run(Name=self.name, RunProperties=given)["RunId"])

    def ended(self, run_id: str) -> str:
        deadline = time.monotonic() + 20
        while self.glue.get_workflow_run(Name=self.name, RunId=run_id)["Run"]["Status"] == "RUNNING":
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return run_id

    def runs(self) -> list[dict[str, Any]]:
        """Oldest first."""
        return list(reversed(self.glue.get_workflow_runs(Name=self.name)["Runs"]))

    def job_runs(self, step: str) -> list[dict[str, Any]]:
        return list(reversed(self.glue.get_job_runs(JobName=self.job(step))["JobRuns"]))

    def event(self, step: str = "merge") -> Event:
        """Of the newest failure of the step."""
        newest = self.job_runs(step)[-1]
        detail = {"jobName": self.job(step), "jobRunId": newest["Id"], "state": newest["JobRunState"]}
        return {"id": f"event of {newest['Id']}", "detail-type": "Glue Job State Change", "detail": detail}

    def message(self) -> Event:
        """The next message of the retry queue, when its delay is over."""
        return self.delayed_message()[0]

    def delayed_message(self) -> tuple[Event, float]:
        """And how many seconds after it was sent it could be seen."""
        asked = {"QueueUrl": self.retries, "WaitTimeSeconds": 5, "AttributeNames": ["All"]}
        (found,) = self.lake.client("sqs").receive_message(**asked)["Messages"]
        seen, sent = (
            int(found["Attributes"][name]) for name in ("ApproximateFirstReceiveTimestamp", "SentTimestamp")
        )
        return json.loads(found["Body"]), (seen - sent) / 1000

    def has_message(self) -> bool:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"]
        asked = {"QueueUrl": self.retries, "AttributeNames": names}
        found = self.lake.client("sqs").get_queue_attributes(**asked)["Attributes"]
        return any(int(count) for count in found.values())

    def documents(self, folder: str) -> list[dict[str, Any]]:
        s3, bucket = self.lake.client("s3"), self.lake.bucket("docs")
        keys = self.lake.keys("docs", f"operations/{folder}/")
        return [json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys]


@pytest.fixture
def flow(lake: ALake, monkeypatch: pytest.MonkeyPatch) -> Flow:
    """The gate is mended from the start."""
    queue = lake.client("sqs").create_queue(QueueName=f"{lake.name}-retries")["QueueUrl"]
    environment = {
        "NAME_PREFIX": lake.name,
        "RAW_BUCKET": lake.bucket("raw"),
        "DOCS_BUCKET": lake.bucket("docs"),
        "DATASETS": "employee",
        "ALERT_TOPIC_ARN": lake.topic_arn,
        "RUNBOOKS_URL": "docs/runbooks",
        "METRICS_NAMESPACE": lake.name,
        "RETRY_QUEUE_NAME": f"{lake.name}-retries",
        "RETRY_ATTEMPTS": "3",
        "RETRY_BASE_SECONDS": "0",
        "RETRY_FACTOR": "2",
        "RETRY_JITTER_PERCENT": "10",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    made = Flow(lake, f"{lake.name}-employee", queue)
    trust = json.dumps({"Version": "2012-10-17", "Statement": [GLUE_TRUST]})
    role = lake.client("iam").create_role(RoleName=lake.name, AssumeRolePolicyDocument=trust)["Role"]
    made.glue.create_workflow(Name=made.name)
    for step in ("gate", "merge", "maintain"):
        script = f"s3://{lake.bucket('artifacts')}/jobs/{step}.py"
        command = {"Name": "glueetl", "ScriptLocation": script}
        fields = {"Role": role["Arn"], "Command": command, "GlueVersion": "5.1", "Timeout": 1}
        made.glue.create_job(Name=made.job(step), **fields)
    trigger = {"WorkflowName": made.name, "Actions": [{"JobName": made.job("gate")}], "Type": "ON_DEMAND"}
    made.glue.create_trigger(Name=f"{made.name}-start", **trigger)
    condition = {"LogicalOperator": "EQUALS", "JobName": made.job("gate"), "State": "SUCCEEDED"}
    made.glue.create_trigger(
        Name=f"{made.name}-gate-succeeded",
        WorkflowName=made.name,
        Type="CONDITIONAL",
        StartOnCreation=True,
        Predicate={"Conditions": [condition]},
        Actions=[{"JobName": made.job("merge")}],
    )
    made.mend("gate")
    return made


def handled(handler: Callable[..., Any], *bodies: Event) -> list[str]:
    """Which of the messages have to come again."""
    records = [{"messageId": f"m{i}", "body": json.dumps(body)} for i, body in enumerate(bodies)]
    answer = handler({"Records": records}, None)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_a_failed_merge_is_resumed_at_the_merge(flow: Flow, monkeypatch: pytest.MonkeyPatch):
    """After its wait the run goes on where it failed: the gate, which had passed, does not work again. People
    are told once, and when it will be tried again."""
    monkeypatch.setenv("RETRY_BASE_SECONDS", "1")
    failed = flow.start()
    assert handled(handle_failure.handler, flow.event()) == []
    flow.mend("merge")
    message, seconds = flow.delayed_message()
    assert seconds >= 1
    assert handled(resume_run.handler, message) == []

    resumed = flow.runs()[-1]
    flow.ended(resumed["WorkflowRunId"])
    assert resumed["PreviousRunId"] == failed
    assert [run["JobRunState"] for run in flow.job_runs("gate")] == ["SUCCEEDED"]
    assert [run["JobRunState"] for run in flow.job_runs("merge")] == ["FAILED", "SUCCEEDED"]
    (mail,) = flow.lake.mails()
    assert mail.startswith(
        "[Lakegate warning] employee of 2026-11-24: the merge failed, and is tried again\n"
    )
    for fact in ("LAUNCH ERROR", failed, "number 1 of 3, at ", "Runbook: docs/runbooks/run-failed.md"):
        assert fact in mail


def test_a_failure_told_twice_is_retried_once(flow: Flow):
    """SQS and EventBridge deliver at least once: neither event nor message does a thing the second time."""
    flow.start()
    event = flow.event()
    assert handled(handle_failure.handler, event, event) == []
    message = flow.message()
    assert not flow.has_message()
    flow.mend("merge")
    assert handled(resume_run.handler, message, message) == []
    flow.ended(flow.runs()[-1]["WorkflowRunId"])
    assert handled(handle_failure.handler, event) == []
    assert handled(resume_run.handler, message) == []

    assert len(flow.runs()) == 2
    assert not flow.has_message()
    assert len(flow.lake.mails()) == 1


def test_after_three_retries_a_human_is_called_once(flow: Flow):
    """Four failures: a record with the command that resumes the run, a metric, and one message, critical.
    What fails while the record is open is added to it, and neither retried nor told."""
    flow.start()
    for _ in range(3):
        handled(handle_failure.handler, flow.event())
        handled(resume_run.handler, flow.message())
        flow.ended(flow.runs()[-1]["WorkflowRunId"])
    handled(handle_failure.handler, flow.event())
    assert not flow.has_message()

    last = flow.runs()[-1]["WorkflowRunId"]
    (record,) = flow.documents("interventions")
    assert record | {"opened_at": "", "error": record["error"][:12]} == {
        "dataset": "employee",
        "batch_date": "2026-11-24",
        "run_id": last,
        "step": "merge",
        "error": "LAUNCH ERROR",
        "attempts": 4,
        "opened_at": "",
        "resolved_at": None,
        "resume_command": f"make replay RUN={last} ENV={flow.lake.name.rpartition('-')[2]}",
        "log_group": "/aws-glue/jobs/error",
        "docs_uri": None,
    }
    told, called = flow.lake.mails()
    assert told.startswith("[Lakegate warning]")
    assert called.startswith("[Lakegate critical] employee of 2026-11-24: the merge failed, and somebody has")
    assert record["resume_command"] in called
    metrics = flow.lake.client("cloudwatch").list_metrics(Namespace=flow.lake.name)["Metrics"]
    assert [metric["MetricName"] for metric in metrics] == ["ManualInterventions"]

    flow.start(version_id=flow.runs()[0]["WorkflowRunProperties"]["version_id"])
    handled(handle_failure.handler, flow.event())
    (record,) = flow.documents("interventions")
    assert record["attempts"] == 5
    assert len(flow.lake.mails()) == 2
    assert not flow.has_message()


@pytest.mark.parametrize(
    ("error", "mails"), [("GateRejected", 0), ("GateBroken", 0), ("RowsNotConserved", 1)]
)
def test_what_would_happen_again_is_not_retried(flow: Flow, error: str, mails: int):
    """The record that the job left says so. The gate told its verdict itself; all else is for a human."""
    run_id = flow.start()
    event = flow.event()
    record = JobError(event["detail"]["jobRunId"], error, "it says", retryable=False).to_json()
    key = error_key("employee", run_id, "merge")
    flow.lake.client("s3").put_object(Bucket=flow.lake.bucket("docs"), Key=key, Body=record.encode())

    assert handled(handle_failure.handler, event) == []
    assert not flow.has_message()
    assert [mail.partition("]")[0] for mail in flow.lake.mails()] == ["[Lakegate critical"] * mails
    assert len(flow.documents("interventions")) == mails


def test_a_run_that_is_not_over_is_resumed_later(flow: Flow, monkeypatch: pytest.MonkeyPatch):
    """Glue resumes completed runs alone; the message comes again, and no claim is in its way."""
    flow.start()
    handled(handle_failure.handler, flow.event())
    message = flow.message()
    with monkeypatch.context() as patch:
        run = replace(resume_run.find_run(flow.name, flow.runs()[0]["WorkflowRunId"]), status="RUNNING")
        patch.setattr(resume_run, "find_run", lambda *_: run)
        assert handled(resume_run.handler, message) == ["m0"]
    assert handled(resume_run.handler, message) == []
    assert len(flow.runs()) == 2


@pytest.mark.parametrize("killed_in", ["resume_run", "change_case"])
def test_who_resumes_and_is_killed_keeps_nobody_from_it(
    flow: Flow, monkeypatch: pytest.MonkeyPatch, killed_in: str
):
    """A fresh claim keeps others off. An old one does not, and the run that came of it, if any, is found."""
    flow.start()
    handled(handle_failure.handler, flow.event())
    message = flow.message()
    calls = iter([change_case])  # the claim is made, and then the function is killed

    def killed(*given: Any) -> Any:
        for call in calls if killed_in == "change_case" else ():
            return call(*given)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(resume_run, killed_in, killed)
        with pytest.raises(KeyboardInterrupt):
            handled(resume_run.handler, message)
    assert handled(resume_run.handler, message) == ["m0"]
    monkeypatch.setattr(resume_run, "_CLAIM", resume_run._CLAIM * 0)
    assert handled(resume_run.handler, message) == []
    assert len(flow.runs()) == 2


def test_a_failure_whose_event_never_came_is_found(flow: Flow):
    """The sweep handles it as its event would have been; again, and the event coming late, change nothing."""
    flow.start()
    assert handle_failure.handler({}, None) == {"unhandled": 0, "alerts_waiting": 0}
    handle_failure.handler({}, None)
    handled(handle_failure.handler, flow.event())
    message = flow.message()
    assert not flow.has_message()
    assert len(flow.lake.mails()) == 1

    handled(resume_run.handler, message)
    flow.ended(flow.runs()[-1]["WorkflowRunId"])
    handle_failure.handler({}, None)  # the run that resumed it failed, too
    assert flow.message()["job_run_id"] == flow.job_runs("merge")[-1]["Id"]
    assert not flow.has_message()


def test_an_alert_waits_until_sns_takes_it(flow: Flow, monkeypatch: pytest.MonkeyPatch):
    """With SNS down a failure is handled all the same, and people hear of it as soon as it is up, once."""
    monkeypatch.setattr(alerts, "_LEFT_BEHIND", alerts._LEFT_BEHIND * 0)
    monkeypatch.setenv("ALERT_TOPIC_ARN", f"{flow.lake.topic_arn}-that-is-down")
    flow.start()
    assert handled(handle_failure.handler, flow.event()) == []
    assert flow.message()
    assert handle_failure.handler({}, None)["alerts_waiting"] == 1
    assert flow.lake.mails() == []

    monkeypatch.setenv("ALERT_TOPIC_ARN", flow.lake.topic_arn)
    assert handle_failure.handler({}, None)["alerts_waiting"] == 0
    handle_failure.handler({}, None)
    assert len(flow.lake.mails()) == 1


def replay(flow: Flow, run_id: str) -> tuple[int, str]:
    """What `make replay RUN=` does once it knows the stack: its exit code, and what it says."""
    said = io.StringIO()
    outputs = {"workflows": {"employee": flow.name}, "buckets": {"docs": flow.lake.bucket("docs")}}
    return replay_run(run_id, outputs, 0.02, Console(file=said, width=300)), said.getvalue()


def test_a_person_resumes_a_run(flow: Flow):
    """Where it failed, and of a run that was resumed the newest; the exit code is that of its end. The retry
    that was due then finds nothing left to do."""
    failed = flow.start()
    handled(handle_failure.handler, flow.event())
    exit_code, said = replay(flow, failed)
    assert exit_code == 1
    assert f"{failed} failed in the merge: it is resumed there." in said
    assert "it failed in the merge" in said

    flow.mend("merge")
    exit_code, said = replay(flow, failed)
    newest = flow.runs()[-1]["WorkflowRunId"]
    assert exit_code == 0
    assert f"{failed} was resumed already" in said
    assert f"{newest} published its batch" in said
    assert handled(resume_run.handler, flow.message()) == []
    assert len(flow.runs()) == 3
    assert [run["JobRunState"] for run in flow.job_runs("gate")] == ["SUCCEEDED"]


def test_what_needs_no_replay_is_left_alone(flow: Flow):
    """A run that succeeded is 0, one that runs is 2, and one that nobody knows is refused."""
    flow.mend("merge")
    done = flow.start()
    assert replay(flow, done) == (0, f"{done} has published its batch. Nothing was done.\n")
    running = flow.glue.start_workflow_run(Name=flow.name)["RunId"]
    assert replay(flow, running) == (2, f"{running} is running. Nothing was done.\n")
    with pytest.raises(ArgumentsInvalid, match="there is no run wr_0 of employee"):
        replay(flow, "wr_0")
    flow.ended(running)
    assert len(flow.runs()) == 2


def test_failures_that_hold_no_batch_up_are_told(flow: Flow):
    """The maintenance, and a crawler, whose own message may quote a file's name: warnings, each once."""
    job_run = flow.glue.start_job_run(JobName=flow.job("maintain"))["JobRunId"]
    deadline = time.monotonic() + 20
    while flow.job_runs("maintain")[0]["JobRunState"] in ("STARTING", "RUNNING"):
        assert time.monotonic() < deadline
    crawled = {
        "crawlerName": f"{flow.name}-raw",
        "state": "Failed",
        "errorMessage": "Cannot read zoe_adams.csv",
        "cloudWatchLogLink": "https://console.example.com/logs",
    }
    crawler = {"id": "e1", "detail-type": "Glue Crawler State Change", "detail": crawled}

    assert handled(handle_failure.handler, flow.event("maintain"), crawler, crawler) == []
    maintained, crawled_mail = flow.lake.mails()
    assert maintained.startswith("[Lakegate warning] employee: the maintain job ended as FAILED\n")
    assert job_run in maintained
    assert f"aws glue start-job-run --job-name {flow.job('maintain')}" in maintained
    assert crawled_mail.startswith("[Lakegate warning] employee: the crawler of the raw zone failed\n")
    assert f"aws glue start-crawler --name {flow.name}-raw" in crawled_mail
    assert "zoe_adams" not in crawled_mail


@pytest.mark.parametrize("error", [GateRejected("b", "bad"), ValueError("about zoe_adams")])
def test_a_job_that_fails_leaves_a_record_of_its_error(
    lake: ALake, monkeypatch: pytest.MonkeyPatch, error: Exception
):
    """The handler learns class and prospects from it; of what is not our own, the class alone is told."""

    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(entry, "start_log", lambda: None)
    monkeypatch.setattr(entry, "_run", fail)
    arguments = {"dataset": "employee", "WORKFLOW_RUN_ID": "wr_1", "JOB_RUN_ID": "jr_1"}
    with pytest.raises(LakegateError) as raised:
        entry.run_job("gate", arguments | {"docs_bucket": lake.bucket("docs")})
    left = lake.client("s3").get_object(Bucket=lake.bucket("docs"), Key=error_key("employee", "wr_1", "gate"))

    assert JobError.from_json(left["Body"].read()) == JobError.of(raised.value, "jr_1")
    assert "zoe_adams" not in str(raised.value)


def test_a_failure_that_cannot_be_handled_comes_again(flow: Flow):
    """An event about a run that Glue does not know goes back to the queue."""
    unknown = {"detail": {"jobName": flow.job("gate"), "jobRunId": "jr_0", "state": "FAILED"}}

    assert handled(handle_failure.handler, unknown, {}) == ["m0", "m1"]
    assert flow.lake.mails() == []


def test_programs_are_sent_json(lake: ALake):
    """Who subscribes a queue gets every fact by its name, and may filter by kind; people get text."""
    sqs, sns = lake.client("sqs"), lake.client("sns")
    url = sqs.create_queue(QueueName=f"{lake.name}-tickets")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    only = {"FilterPolicy": json.dumps({"kind": ["recovered"]}), "RawMessageDelivery": "true"}
    sns.subscribe(TopicArn=lake.topic_arn, Protocol="sqs", Endpoint=arn, Attributes=only)
    outbox = alerts.Outbox(lake.topic_arn, lake.bucket("docs"))
    for kind in (AlertKind.RUN_FAILED, AlertKind.RECOVERED):
        outbox.send(alerts.Alert("employee", kind, "info", "wr_1", "wr_2", "h", "text\n", {"Error": "x"}))
    (message,) = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]

    context = json.loads(message["Body"])["metadata"]["additionalContext"]
    assert context == {
        "Error": "x", "dataset": "employee", "kind": "recovered", "run_id": "wr_2", "severity": "info"
    }  # fmt: skip
    assert [mail.partition("\n")[2] for mail in lake.mails()] == ["text\n\n", "text\n\n"]


def test_of_one_kind_ten_messages_are_sent_an_hour(lake: ALake):
    """The rest is counted, and told with the next that is sent."""
    now = [datetime(2026, 11, 24, 12, 59, tzinfo=UTC)]
    outbox = alerts.Outbox(lake.topic_arn, lake.bucket("docs"), lambda: now[0])
    about = ("employee", AlertKind.RUN_FAILED, "warning")
    for number in range(13):
        outbox.send(alerts.Alert(*about, f"wr_{number}", "", "h", "text\n", {}))
    assert len(lake.mails()) == 10

    now[0] = datetime(2026, 11, 24, 13, tzinfo=UTC)
    outbox.send(alerts.Alert(*about, "wr_13", "", "h", "text\n", {}))
    assert "3 more messages of this kind about employee were held back" in lake.mails()[-1]


def test_what_a_published_file_settles_is_told_and_closed(lake: ALake):
    """A newer version of the rejected file is published: recovered, and told once. The case of another file
    of that day stays open."""
    rejected, other = lake.land(b"1"), lake.land(b"2", file="other.csv")
    for batch, run_id in ((rejected, "wr_1"), (other, "wr_2")):
        lake.of_run(run_id).open_case(batch, "rejected")
    corrected = lake.land(b"3")
    for _ in range(2):
        lake.of_run("wr_3").settle_cases(corrected)

    (mail,) = lake.mails()
    assert mail.startswith(
        "[Lakegate info] employee of 2026-11-24 recovered: it was rejected, and a newer version of its fi"
    )
    still_open = [case for case in lake.keys("docs", "operations/cases/") if is_open(lake, case)]
    assert still_open == [f"operations/cases/employee/2026-11-24/{other.version_id}.json"]


def is_open(lake: ALake, key: str) -> bool:
    body = lake.client("s3").get_object(Bucket=lake.bucket("docs"), Key=key)["Body"].read()
    return json.loads(body)["is_open"]
