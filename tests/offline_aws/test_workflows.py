"""Glue workflow runs walk the triggers that were deployed."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from deployments import Deployer, until

pytestmark = pytest.mark.slow


@pytest.fixture
def deploy(client, bucket, role, name):
    return Deployer(client, bucket, role, name)


class Workflow:
    """A workflow of one start trigger and conditional ones."""

    def __init__(self, client, name: str, **fields) -> None:
        self.glue, self.name = client("glue"), name
        self.glue.create_workflow(Name=name, **fields)

    def on_start(self, *actions: dict, **fields) -> None:
        trigger = {"Type": "ON_DEMAND", "Actions": list(actions), **fields}
        self.glue.create_trigger(Name=f"{self.name}-start", WorkflowName=self.name, **trigger)

    def when(self, suffix: str, conditions: list[dict], *actions: dict, logical="AND", is_active=True) -> str:
        conditions = [{"LogicalOperator": "EQUALS", **condition} for condition in conditions]
        self.glue.create_trigger(
            Name=f"{self.name}-{suffix}",
            WorkflowName=self.name,
            Type="CONDITIONAL",
            StartOnCreation=is_active,
            Predicate={"Logical": logical, "Conditions": conditions},
            Actions=list(actions),
        )
        return f"{self.name}-{suffix}"

    def start(self, **properties: str) -> str:
        return self.glue.start_workflow_run(Name=self.name, RunProperties=properties)["RunId"]

    def ended(self, run_id: str) -> dict:
        def look():
            run = self.glue.get_workflow_run(Name=self.name, RunId=run_id, IncludeGraph=True)["Run"]
            return None if run["Status"] in ("RUNNING", "STOPPING") else run

        return until(look)

    def run(self, **properties: str) -> dict:
        return self.ended(self.start(**properties))


@pytest.fixture
def workflow(client, name):
    return lambda **fields: Workflow(client, name, **fields)


def states(run: dict) -> dict[str, list[str]]:
    """The states of the runs of each job and crawler, by the last part of its name."""
    found = {}
    for node in run["Graph"]["Nodes"]:
        runs = node.get("JobDetails", {}).get("JobRuns") or node.get("CrawlerDetails", {}).get("Crawls") or []
        if node["Type"] != "TRIGGER":
            found[node["Name"].rsplit("-", 1)[-1]] = [r.get("JobRunState") or r["State"] for r in runs]
    return found


def node_id(run: dict, name: str) -> str:
    return next(node["UniqueId"] for node in run["Graph"]["Nodes"] if node["Name"] == name)


def test_what_follows_a_success_runs_with_the_runs_properties(client, deploy, workflow):
    """Each job gets the workflow's name and run id, reads the run's properties, and can add to them."""
    first = deploy.job(
        "gate",
        """
        import boto3, sys
        from awsglue.utils import getResolvedOptions
        run = getResolvedOptions(sys.argv, ["WORKFLOW_NAME", "WORKFLOW_RUN_ID"])
        glue, asked = boto3.client("glue"), dict(Name=run["WORKFLOW_NAME"], RunId=run["WORKFLOW_RUN_ID"])
        properties = glue.get_workflow_run_properties(**asked)["RunProperties"]
        assert properties == {"key": "a.csv", "mode": "upsert"}
        glue.put_workflow_run_properties(**asked, RunProperties={"verdict": "passed"})
        """,
    )
    second = deploy.job("merge", "import sys; print(sys.argv[sys.argv.index('--step') + 1])")
    flow = workflow(DefaultRunProperties={"mode": "upsert", "key": "none"})
    flow.on_start({"JobName": first})
    trigger = flow.when(
        "next", [{"JobName": first, "State": "SUCCEEDED"}], {"JobName": second, "Arguments": {"--step": "2"}}
    )
    run = flow.run(key="a.csv")
    assert states(run) == {"gate": ["SUCCEEDED"], "merge": ["SUCCEEDED"]}
    assert run["Status"] == "COMPLETED"
    assert run["WorkflowRunProperties"] == {"key": "a.csv", "mode": "upsert", "verdict": "passed"}
    assert run["Statistics"] == {
        "TotalActions": 2,
        "SucceededActions": 2,
        "FailedActions": 0,
        "TimeoutActions": 0,
        "StoppedActions": 0,
        "RunningActions": 0,
        "ErroredActions": 0,
        "WaitingActions": 0,
    }
    (merged,) = client("glue").get_job_runs(JobName=second)["JobRuns"]
    (gated,) = client("glue").get_job_runs(JobName=first)["JobRuns"]
    assert merged["TriggerName"] == trigger
    assert merged["PredecessorRuns"] == [{"JobName": first, "RunId": gated["Id"]}]
    assert merged["Arguments"] == {
        "--step": "2",
        "--WORKFLOW_NAME": flow.name,
        "--WORKFLOW_RUN_ID": run["WorkflowRunId"],
    }
    assert deploy.log("/aws-glue/jobs/output", merged["Id"]) == "2"


def test_a_failed_job_stops_its_branch_and_the_run_is_completed(deploy, workflow):
    """Triggers fire on the state they name: after a failure the other branch, not the success's."""
    bad, good, alarm = (deploy.job(s, x) for s, x in (("bad", "1/0"), ("good", ""), ("alarm", "")))
    flow = workflow()
    flow.on_start({"JobName": bad})
    flow.when("yes", [{"JobName": bad, "State": "SUCCEEDED"}], {"JobName": good})
    flow.when("no", [{"JobName": bad, "State": "FAILED"}], {"JobName": alarm})
    run = flow.run()
    assert run["Status"] == "COMPLETED"
    assert states(run) == {"bad": ["FAILED"], "good": [], "alarm": ["SUCCEEDED"]}
    counts = run["Statistics"]
    assert (counts["TotalActions"], counts["FailedActions"], counts["SucceededActions"]) == (3, 1, 1)


def test_and_waits_for_all_and_any_for_one(deploy, workflow):
    """AND fires once, after both; ANY fires once, though both conditions come true."""
    jobs = {
        s: deploy.job(s, x)
        for s, x in (("a", ""), ("b", "import time; time.sleep(.5)"), ("c", ""), ("d", ""))
    }
    flow = workflow()
    flow.on_start({"JobName": jobs["a"]}, {"JobName": jobs["b"]})
    both = [{"JobName": jobs[job], "State": "SUCCEEDED"} for job in "ab"]
    flow.when("all", both, {"JobName": jobs["c"]})
    flow.when("any", both, {"JobName": jobs["d"]}, logical="ANY")
    run = flow.run()
    assert states(run) == {job: ["SUCCEEDED"] for job in "abcd"}
    runs = {
        node["Name"][-1]: node["JobDetails"]["JobRuns"][0]
        for node in run["Graph"]["Nodes"]
        if node["Type"] == "JOB"
    }
    assert runs["c"]["StartedOn"] >= runs["b"]["CompletedOn"]
    assert runs["d"]["StartedOn"] < runs["b"]["CompletedOn"]


def test_only_activated_triggers_of_this_workflow_fire(client, deploy, workflow, name):
    """A trigger that was never started does nothing, nor does one of another workflow on the same job."""
    job, other = deploy.job("job", ""), deploy.job("other", "")
    flow = workflow()
    flow.on_start({"JobName": job})
    condition = [{"JobName": job, "State": "SUCCEEDED"}]
    idle = flow.when("idle", condition, {"JobName": other}, is_active=False)
    Workflow(client, f"{name}-2").when("foreign", condition, {"JobName": other})
    assert states(flow.run()) == {"job": ["SUCCEEDED"], "other": []}
    client("glue").start_trigger(Name=idle)
    assert client("glue").get_trigger(Name=idle)["Trigger"]["State"] == "ACTIVATED"
    assert states(flow.run()) == {"job": ["SUCCEEDED"], "other": ["SUCCEEDED"]}


def test_a_crawler_is_an_action_and_a_condition(client, deploy, workflow, database, name):
    """A crawler action crawls; its state can start what follows."""
    deploy.put("raw/dt=2026-01-01/a.csv", "age,name\n31,Zoë\n")
    crawler = f"{name}-crawler"
    client("glue").create_crawler(
        Name=crawler,
        Role=deploy.role_for("glue"),
        DatabaseName=database,
        Targets={"S3Targets": [{"Path": f"s3://{deploy.bucket}/raw/"}]},
    )
    after = deploy.job("after", "")
    flow = workflow()
    flow.on_start({"CrawlerName": crawler})
    flow.when("crawled", [{"CrawlerName": crawler, "CrawlState": "SUCCEEDED"}], {"JobName": after})
    assert states(flow.run()) == {"crawler": ["SUCCEEDED"], "after": ["SUCCEEDED"]}
    assert [t["Name"] for t in client("glue").get_tables(DatabaseName=database)["TableList"]] == ["raw"]


def test_runs_beyond_the_workflows_maximum_are_refused(deploy, workflow):
    """MaxConcurrentRuns counts the runs that have not ended."""
    flow = workflow(MaxConcurrentRuns=1)
    flow.on_start({"JobName": deploy.job("slow", "import time; time.sleep(1)")})
    first = flow.start()
    with pytest.raises(ClientError, match="ConcurrentRunsExceededException"):
        flow.start()
    flow.ended(first)
    assert flow.run()["Status"] == "COMPLETED"
    runs = flow.glue.get_workflow_runs(Name=flow.name)["Runs"]
    assert [run["Status"] for run in runs] == ["COMPLETED", "COMPLETED"]
    assert runs[1]["WorkflowRunId"] == first
    page = flow.glue.get_workflow_runs(Name=flow.name, MaxResults=1)
    rest = flow.glue.get_workflow_runs(Name=flow.name, NextToken=page["NextToken"])["Runs"]
    assert rest[0]["WorkflowRunId"] == first


def test_a_job_that_cannot_start_is_an_error_of_its_node(deploy, workflow):
    """A trigger that names no job that exists leaves an errored action, and the run ends."""
    flow = workflow()
    flow.on_start({"JobName": "no-such-job"})
    run = flow.run()
    assert run["Status"] == "COMPLETED"
    assert run["Statistics"]["ErroredActions"] == 1


def test_a_workflow_needs_a_trigger_that_starts_it(workflow):
    """StartWorkflowRun refuses what could do nothing, and a workflow that is not there."""
    flow = workflow()
    with pytest.raises(ClientError, match="InvalidInputException"):
        flow.start()
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        flow.glue.start_workflow_run(Name="no-such-workflow")
    assert flow.glue.get_workflow_runs(Name=flow.name)["Runs"] == []


def test_a_run_can_be_stopped(deploy, workflow, offline_aws):
    """StopWorkflowRun stops its jobs, starts nothing more, and the run is STOPPED."""
    job, after = deploy.job("slow", "import time; print(1); time.sleep(60)"), deploy.job("after", "")
    flow = workflow()
    flow.on_start({"JobName": job})
    flow.when("stopped", [{"JobName": job, "State": "STOPPED"}], {"JobName": after})
    run_id = flow.start()
    until(lambda: flow.glue.get_job_runs(JobName=job)["JobRuns"][0]["JobRunState"] == "RUNNING")
    flow.glue.stop_workflow_run(Name=flow.name, RunId=run_id)
    run = flow.ended(run_id)
    assert run["Status"] == "STOPPED"
    assert states(run) == {"slow": ["STOPPED"], "after": []}
    with pytest.raises(ClientError, match="IllegalWorkflowStateException"):
        flow.glue.stop_workflow_run(Name=flow.name, RunId=run_id)


def test_resuming_runs_the_node_and_what_follows(client, deploy, workflow):
    """A resumed run has an id of its own, and runs nothing again that succeeded before; of what it does run
    again it shows its own runs alone. It has no properties: Glue's documentation promises none."""
    job = """
        import boto3, sys
        bucket, key = "{bucket}", "{key}"
        boto3.client("s3").head_object(Bucket=bucket, Key=key)
    """
    first = deploy.job("first", "")
    second = deploy.job("second", job.format(bucket=deploy.bucket, key="is-repaired"))
    third = deploy.job("third", "")
    flow = workflow()
    flow.on_start({"JobName": first})
    flow.when("2", [{"JobName": first, "State": "SUCCEEDED"}], {"JobName": second})
    flow.when("3", [{"JobName": j, "State": "SUCCEEDED"} for j in (first, second)], {"JobName": third})
    failed = flow.run(key="a.csv")
    assert states(failed) == {"first": ["SUCCEEDED"], "second": ["FAILED"], "third": []}

    deploy.put("is-repaired", "yes")
    ids = [node_id(failed, second)]
    answer = flow.glue.resume_workflow_run(Name=flow.name, RunId=failed["WorkflowRunId"], NodeIds=ids)
    assert answer["NodeIds"] == ids
    assert answer["RunId"] != failed["WorkflowRunId"]
    resumed = flow.ended(answer["RunId"])
    assert states(resumed) == {
        "first": ["SUCCEEDED"],
        "second": ["SUCCEEDED"],
        "third": ["SUCCEEDED"],
    }
    assert resumed["PreviousRunId"] == failed["WorkflowRunId"]
    assert resumed["WorkflowRunProperties"] == {}
    assert resumed["Statistics"]["SucceededActions"] == 3
    assert len(client("glue").get_job_runs(JobName=first)["JobRuns"]) == 1
    newest = client("glue").get_job_runs(JobName=second)["JobRuns"][0]
    assert newest["Arguments"]["--WORKFLOW_RUN_ID"] == answer["RunId"]


def test_of_two_nodes_that_depend_on_each_other_only_the_upper_is_restarted(client, deploy, workflow):
    """The lower one runs once, after the upper one."""
    upper, lower = deploy.job("upper", ""), deploy.job("lower", "")
    flow = workflow()
    flow.on_start({"JobName": upper})
    flow.when("then", [{"JobName": upper, "State": "SUCCEEDED"}], {"JobName": lower})
    done = flow.run()
    ids = [node_id(done, lower), node_id(done, upper)]
    again = flow.glue.resume_workflow_run(Name=flow.name, RunId=done["WorkflowRunId"], NodeIds=ids)
    assert again["NodeIds"] == [node_id(done, upper)]
    assert states(flow.ended(again["RunId"])) == {"upper": ["SUCCEEDED"], "lower": ["SUCCEEDED"]}
    assert len(client("glue").get_job_runs(JobName=lower)["JobRuns"]) == 2


def test_only_attempted_nodes_of_a_completed_run_can_be_resumed(deploy, workflow):
    """A trigger, a job that never ran, a node of no run, and a run under way are refused."""
    bad, never = deploy.job("bad", "1/0"), deploy.job("never", "")
    flow = workflow()
    flow.on_start({"JobName": bad})
    flow.when("then", [{"JobName": bad, "State": "SUCCEEDED"}], {"JobName": never})
    run = flow.run()
    for name, code in (
        (f"{flow.name}-start", "IllegalWorkflowStateException"),
        (never, "IllegalWorkflowStateException"),
    ):
        with pytest.raises(ClientError, match=code):
            resume(flow, run, node_id(run, name))
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        resume(flow, run, "wnode_unknown")


def resume(flow: Workflow, run: dict, *node_ids: str):
    return flow.glue.resume_workflow_run(Name=flow.name, RunId=run["WorkflowRunId"], NodeIds=node_ids)


def test_starting_an_on_demand_trigger_starts_its_workflow(client, deploy, workflow):
    """StartTrigger of the start trigger is a run, and the trigger stays CREATED."""
    flow = workflow()
    flow.on_start({"JobName": deploy.job("job", "")})
    client("glue").start_trigger(Name=f"{flow.name}-start")
    (run,) = until(lambda: flow.glue.get_workflow_runs(Name=flow.name)["Runs"])
    assert flow.ended(run["WorkflowRunId"])["Status"] == "COMPLETED"
    assert client("glue").get_trigger(Name=f"{flow.name}-start")["Trigger"]["State"] == "CREATED"


def test_a_workflow_shows_its_graph_and_its_last_run(deploy, workflow):
    """GetWorkflow draws what is deployed: trigger to job, job to the trigger that waits for it."""
    a, b = deploy.job("a", ""), deploy.job("b", "")
    flow = workflow()
    flow.on_start({"JobName": a})
    flow.when("then", [{"JobName": a, "State": "SUCCEEDED"}], {"JobName": b})
    described = flow.glue.get_workflow(Name=flow.name, IncludeGraph=True)["Workflow"]
    names = {node["UniqueId"]: node["Name"] for node in described["Graph"]["Nodes"]}
    edges = {(names[e["SourceId"]], names[e["DestinationId"]]) for e in described["Graph"]["Edges"]}
    start, then = f"{flow.name}-start", f"{flow.name}-then"
    assert edges == {(start, a), (a, then), (then, b)}
    run = flow.run()
    assert (
        flow.glue.get_workflow(Name=flow.name)["Workflow"]["LastRun"]["WorkflowRunId"] == run["WorkflowRunId"]
    )
