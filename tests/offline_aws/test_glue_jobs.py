"""Glue job runs are processes of what was deployed."""

from __future__ import annotations

import json
import os
import time

import pytest
from botocore.exceptions import ClientError
from deployments import Deployer, an_archive, until

from scripts.offline_aws import glue_jobs, spark_runtime
from scripts.offline_aws.spark_runtime import SparkMissing, require_spark

pytestmark = pytest.mark.slow


@pytest.fixture
def deploy(client, bucket, role, name):
    return Deployer(client, bucket, role, name)


@pytest.fixture
def events(client, deploy):
    """The bodies of this test's job state events, from a queue that a rule fills."""
    url, arn = deploy.queue("events", Policy=open_to_events())
    pattern = {"source": ["aws.glue"], "detail": {"jobName": [{"prefix": deploy.name}]}}
    client("events").put_rule(Name=deploy.name, EventPattern=json.dumps(pattern))
    client("events").put_targets(Rule=deploy.name, Targets=[{"Id": "queue", "Arn": arn}])
    return lambda: [json.loads(body) for body in deploy.bodies(url)]


def open_to_events() -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": "*",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_run_is_the_deployed_script_with_the_merged_arguments(deploy):
    """Run arguments win over the job's defaults, and Glue's own names come along."""
    script = "import json, sys; print(json.dumps(sys.argv))"
    job = deploy.job("args", script, DefaultArguments={"--dataset": "employee", "--kept": "1"})
    run = deploy.run_job(job, Arguments={"--dataset": "orders"})
    argv = json.loads(deploy.log("/aws-glue/jobs/output", run["Id"]))
    given = dict(zip(argv[1::2], argv[2::2], strict=True))
    assert argv[0].endswith("args.py")
    assert given.pop("--JOB_ID").startswith("j_")
    assert given == {"--dataset": "orders", "--kept": "1", "--JOB_NAME": job, "--JOB_RUN_ID": run["Id"]}
    assert (run["JobRunState"], run["Attempt"], run["GlueVersion"]) == ("SUCCEEDED", 0, "5.1")
    assert run["Arguments"] == {"--dataset": "orders"}
    assert run["LogGroupName"] == "/aws-glue/jobs"
    assert run["CompletedOn"] >= run["StartedOn"]
    assert "ErrorMessage" not in run


def test_a_run_has_the_wheels_it_names_and_the_role_of_its_job(deploy):
    """Code comes from the wheels in S3, and each AWS call carries the job's role."""
    wheel = deploy.put("wheels/etl-1-py3-none-any.whl", an_archive(etl__where="PLACE = 'wheel'"))
    script = """
        import boto3, etl.where
        print(etl.where.PLACE, boto3.client("sts").get_caller_identity()["Arn"])
    """
    job = deploy.job("wheel", script, DefaultArguments={"--additional-python-modules": f" {wheel},boto3"})
    run = deploy.run_job(job)
    arn = f"arn:aws:sts::123456789012:assumed-role/{deploy.name}-glue/GlueJobRunnerSession"
    assert deploy.log("/aws-glue/jobs/output", run["Id"]) == f"wheel {arn}"


def test_a_run_does_not_see_the_working_tree_nor_the_environment(deploy, monkeypatch):
    """Without its wheel a script fails, as on Glue; the server's own variables stay with the server."""
    monkeypatch.setenv("SERVER_SECRET", "1")
    script = """
        import os, sys
        print(sorted(set(os.environ) & {"SERVER_SECRET", "VIRTUAL_ENV"}), os.listdir("."))
        import scripts.offline_aws
    """
    run = deploy.run_job(deploy.job("clean", script))
    assert deploy.log("/aws-glue/jobs/output", run["Id"]) == "[] []"
    assert run["ErrorMessage"] == "ModuleNotFoundError: No module named 'scripts'"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("raise ValueError('salary')", "ValueError: salary"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("raise SystemExit('rejected')", "SystemExit: rejected"),
        ("import os; os._exit(4)", "Command failed with exit code 4"),
        ("import os; os.kill(os.getpid(), 9)", "Command failed with exit code 137"),
        ("1 +", "SyntaxError: invalid syntax (job.py, line 1)"),
    ],
)
def test_a_failed_run_says_why_as_glue_does(deploy, events, script, message):
    """ErrorMessage is the class and message of what ended the script; the event carries it."""
    job = deploy.job("job", script)
    run = deploy.run_job(job)
    assert (run["JobRunState"], run["ErrorMessage"]) == ("FAILED", message)
    (event,) = until(events)
    assert (event["source"], event["detail-type"]) == ("aws.glue", "Glue Job State Change")
    assert event["account"] == "123456789012"
    assert event["detail"] == {
        "jobName": job,
        "severity": "ERROR",
        "state": "FAILED",
        "jobRunId": run["Id"],
        "message": message,
    }


@pytest.mark.parametrize("script", ["print(1)", "import sys; sys.exit()", "raise SystemExit(0)"])
def test_exit_code_zero_is_success(deploy, events, script):
    """A script may leave by SystemExit(0)."""
    run = deploy.run_job(deploy.job("good", script))
    assert run["JobRunState"] == "SUCCEEDED"
    (event,) = until(events)
    assert (event["detail"]["severity"], event["detail"]["message"]) == ("INFO", "Job run succeeded")


def test_a_job_can_have_log_groups_of_its_own(deploy):
    """--custom-logGroup-prefix moves both logs, and the run says so."""
    group = f"/aws-glue/{deploy.name}"
    job = deploy.job("logs", "print(1)", DefaultArguments={"--custom-logGroup-prefix": group})
    run = deploy.run_job(job)
    assert run["LogGroupName"] == group
    assert deploy.log(f"{group}/output", run["Id"]) == "1"


def test_the_traceback_goes_to_the_error_log(deploy, offline_aws):
    """The error log, and its file in the state folder, show the script's frames alone."""
    run = deploy.run_job(deploy.job("trace", "def f():\n    raise KeyError('x')\nf()"))
    text = (offline_aws.state.logs_dir / f"{run['Id']}.err").read_text()
    assert text.splitlines() == deploy.log("/aws-glue/jobs/error", run["Id"]).splitlines()
    assert "line 2, in f" in text
    assert "runpy" not in text


def test_a_run_over_its_time_is_ended(deploy, events, monkeypatch):
    """After the job's timeout the process is gone, what it printed is kept, and the state is TIMEOUT."""
    monkeypatch.setattr(glue_jobs, "TIMEOUT_UNIT_SECONDS", 0.7)
    job = deploy.job("slow", "import os, time; print(os.getpid()); time.sleep(60)", Timeout=1)
    run = deploy.run_job(job)
    assert run["JobRunState"] == "TIMEOUT"
    assert is_gone(int(deploy.log("/aws-glue/jobs/output", run["Id"])))
    (event,) = until(events)
    assert (event["detail"]["severity"], event["detail"]["message"]) == ("WARN", "Job run timed out")


def test_a_run_can_be_stopped(client, deploy, offline_aws, events):
    """BatchStopJobRun ends the process; a run that has ended cannot be stopped again."""
    job = deploy.job("stopped", "import os, time; print(os.getpid()); time.sleep(60)")
    run_id = client("glue").start_job_run(JobName=job)["JobRunId"]
    log_file = offline_aws.state.logs_dir / f"{run_id}.out"
    pid = int(until(lambda: log_file.exists() and log_file.read_text()))
    answer = client("glue").batch_stop_job_run(JobName=job, JobRunIds=[run_id, "jr_unknown"])
    assert [entry["JobRunId"] for entry in answer["SuccessfulSubmissions"]] == [run_id]
    assert [entry["JobRunId"] for entry in answer["Errors"]] == ["jr_unknown"]
    assert deploy.ended(job, run_id)["JobRunState"] == "STOPPED"
    assert is_gone(pid)
    (event,) = until(events)
    assert event["detail"]["state"] == "STOPPED"
    again = client("glue").batch_stop_job_run(JobName=job, JobRunIds=[run_id])
    assert again["SuccessfulSubmissions"] == []


def is_gone(pid: int) -> bool:
    def ended() -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return False

    return until(ended)


def test_one_run_at_a_time_unless_the_job_allows_more(client, deploy):
    """The run beyond MaxConcurrentRuns is refused, and allowed again after the first has ended."""
    job = deploy.job("once", "import time; time.sleep(1)")
    first = client("glue").start_job_run(JobName=job)["JobRunId"]
    with pytest.raises(ClientError, match="ConcurrentRunsExceededException"):
        client("glue").start_job_run(JobName=job)
    deploy.ended(job, first)
    assert deploy.run_job(job)["JobRunState"] == "SUCCEEDED"
    listed = client("glue").get_job_runs(JobName=job)["JobRuns"]
    assert [run["JobRunState"] for run in listed] == ["SUCCEEDED", "SUCCEEDED"]
    assert listed[1]["Id"] == first


def test_a_failed_run_is_retried_as_often_as_the_job_says(client, deploy):
    """Each retry is a run of its own that names the one before it."""
    job = deploy.job("retried", "raise ValueError('always')", MaxRetries=1)
    deploy.run_job(job)
    second, first = until(lambda: ended_runs(client, job, 2))
    assert (first["Attempt"], second["Attempt"]) == (0, 1)
    assert second["PreviousRunId"] == first["Id"]
    time.sleep(0.3)
    assert len(client("glue").get_job_runs(JobName=job)["JobRuns"]) == 2


def ended_runs(client, job, count):
    runs = client("glue").get_job_runs(JobName=job)["JobRuns"]
    return len(runs) == count and all(run["JobRunState"] == "FAILED" for run in runs) and runs


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"Role": "arn:aws:iam::123456789012:role/nobody"}, "should be given assume role permissions"),
        (
            {"Command": {"Name": "glueetl", "ScriptLocation": "s3://nowhere/x.py"}},
            "nowhere/x.py does not exist",
        ),
        ({"DefaultArguments": {"--additional-python-modules": "s3://nowhere/x.whl"}}, "x.whl does not exist"),
        ({"DefaultArguments": {"--additional-python-modules": "boto3==0.1"}}, "boto3==0.1 is asked for"),
        ({"DefaultArguments": {"--additional-python-modules": "no-such-distribution"}}, "is not installed"),
    ],
)
def test_a_wrong_deployment_fails_the_run(deploy, fields, reason):
    """A role, script or module that is not there fails the run, and the log says what is missing."""
    run = deploy.run_job(deploy.job("broken", "print(1)", **fields))
    assert run["JobRunState"] == "FAILED"
    assert reason in run["ErrorMessage"]
    assert reason in deploy.log("/aws-glue/jobs/error", run["Id"])


ICEBERG = {
    "--datalake-formats": "iceberg",
    "--conf": "spark.sql.shuffle.partitions=3 --conf spark.ui.retainedJobs=7",
}


def test_a_job_that_asks_for_iceberg_gets_spark_with_its_own_configuration(deploy):
    """As on Glue: pyspark can be imported, `--conf` is Spark's, and the catalog's classes are there."""
    try:
        require_spark()
    except SparkMissing as missing:
        pytest.skip(str(missing))
    script = """
        from pyspark.sql import SparkSession
        session = SparkSession.builder.getOrCreate()
        load = session._jvm.java.lang.Class.forName
        load("org.apache.iceberg.spark.SparkCatalog"), load("software.amazon.awssdk.services.glue.GlueClient")
        asked = (session.conf.get(f"spark.{name}") for name in ("sql.shuffle.partitions", "ui.retainedJobs"))
        print(session.version, *asked)
    """
    run = deploy.run_job(deploy.job("spark", script, DefaultArguments=ICEBERG))
    assert (run["JobRunState"], run.get("ErrorMessage")) == ("SUCCEEDED", None)
    assert deploy.log("/aws-glue/jobs/output", run["Id"]).strip() == "3.5.6 3 7"


def test_a_job_that_asks_for_iceberg_where_there_is_no_spark_fails_to_launch(deploy, monkeypatch, tmp_path):
    """The error says how Spark is installed; a job that does not ask for it needs none."""
    monkeypatch.setattr(spark_runtime, "PACKAGES", tmp_path)
    run = deploy.run_job(deploy.job("spark", "print(1)", DefaultArguments=ICEBERG))
    assert run["ErrorMessage"].startswith("LAUNCH ERROR | Spark is not installed")
    assert "make spark" in run["ErrorMessage"]
    assert deploy.run_job(deploy.job("small", "print(1)"))["JobRunState"] == "SUCCEEDED"


def test_a_role_that_another_service_may_assume_does_not_run_a_job(deploy, role):
    """The role's trust policy must name glue.amazonaws.com."""
    run = deploy.run_job(deploy.job("untrusted", "print(1)", Role=role("lambda", "other")))
    assert "should be given assume role permissions for Glue Service" in run["ErrorMessage"]
