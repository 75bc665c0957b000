"""Everything an AWS account says of itself through its APIs, place by place, for a search."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

Place = tuple[str, bytes]
Client = Callable[[str], Any]
"""`client("glue")` is a boto3 client."""


def all_places(client: Client, zones_with_names: Mapping[str, str]) -> Iterator[Place]:
    """`zones_with_names` maps the buckets whose objects may hold names to how much of them is looked at.

    `nothing`: file names and all are the sender's, in S3's log of who asked for them too; `keys`: what we
    name ourselves must hold no name.
    """
    names_of_senders = tuple(f"{bucket}/" for bucket, part in zones_with_names.items() if part == "nothing")
    for bucket in client("s3").list_buckets()["Buckets"]:
        looked_at = zones_with_names.get(bucket["Name"], "everything")
        yield from bucket_places(client, bucket["Name"], looked_at, names_of_senders)
    for walk in (_glue, _logs, _metrics, _messages, _queries, _functions, _settings):
        yield from walk(client)


def bucket_places(
    client: Client, bucket: str, looked_at: str, left_out: tuple[str, ...] = ()
) -> Iterator[Place]:
    """Every version of every object: key, metadata, tags and body; the key alone where it begins so."""
    if looked_at == "nothing":
        return
    s3 = client("s3")
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for version in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
            place = f"s3://{bucket}/{version['Key']} ({version['VersionId']})"
            yield f"the key of {place}", version["Key"].encode()
            if looked_at == "keys" or "Size" not in version or version["Key"].startswith(left_out):
                continue
            of = {"Bucket": bucket, "Key": version["Key"], "VersionId": version["VersionId"]}
            answer = s3.get_object(**of)
            yield place, answer["Body"].read()
            yield f"the headers of {place}", _text({**answer["ResponseMetadata"], **answer["Metadata"]})
            yield f"the tags of {place}", _text(s3.get_object_tagging(**of)["TagSet"])


def file_places(folder: Path, request_of_raw: str) -> Iterator[Place]:
    """Every file under the folder, with its name.

    Of a server's log, lines with `request_of_raw` are left out: the key of a request is the sender's.
    """
    for path in sorted(folder.rglob("*")):
        yield f"the name of {path}", str(path.relative_to(folder)).encode()
        if path.is_file():
            data = path.read_bytes()
            if path.name == "server.log":
                data = b"\n".join(line for line in data.splitlines() if request_of_raw.encode() not in line)
            yield str(path), data


def recorded_places(record: Path) -> Iterator[Place]:
    """What tests.e2e.recorded_aws wrote."""
    parts = ("headers sent", "body sent", "headers answered", "body answered")
    with record.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            entry = json.loads(line)
            yield f"request {number}", entry["request"].encode()
            for part, text in zip(parts, entry["parts"], strict=bool(entry["parts"])):
                yield f"request {number} ({entry['request'][:120]}), {part}", text.encode("latin-1")


def table_places(table: Any) -> Iterator[Place]:
    """What an Iceberg table says beside its rows; `table` is PyIceberg's."""
    place = ".".join(table.name())
    yield f"properties of {place}", _text(dict(table.properties))
    yield f"schema of {place}", str(table.schema()).encode()
    for snapshot in table.snapshots():
        yield f"summary of snapshot {snapshot.snapshot_id} of {place}", repr(snapshot.summary).encode()


def _glue(client: Client) -> Iterator[Place]:
    glue = client("glue")
    for database in all_entries(glue, "get_databases", "DatabaseList"):
        yield f"database {database['Name']}", _text(database)
        for table in all_entries(glue, "get_tables", "TableList", DatabaseName=database["Name"]):
            named = {"DatabaseName": database["Name"], "TableName": table["Name"]}
            yield f"table {database['Name']}.{table['Name']}", _text(table)
            yield (
                f"partitions of {table['Name']}",
                _text(all_entries(glue, "get_partitions", "Partitions", **named)),
            )
    for job in all_entries(glue, "get_jobs", "Jobs"):
        yield f"job {job['Name']}", _text(job)
        for run in all_entries(glue, "get_job_runs", "JobRuns", JobName=job["Name"]):
            yield f"run {run['Id']} of job {job['Name']}", _text(run)
    for name in glue.list_workflows()["Workflows"]:
        yield f"workflow {name}", _text(glue.get_workflow(Name=name, IncludeGraph=True))
        for run in all_entries(glue, "get_workflow_runs", "Runs", Name=name, IncludeGraph=True):
            run_id = run["WorkflowRunId"]
            properties = glue.get_workflow_run_properties(Name=name, RunId=run_id)["RunProperties"]
            yield f"workflow run {run_id}", _text(run)
            yield f"properties of workflow run {run_id}", _text(properties)
    yield "triggers", _text(all_entries(glue, "get_triggers", "Triggers"))
    yield "crawlers", _text(all_entries(glue, "get_crawlers", "Crawlers"))


def _logs(client: Client) -> Iterator[Place]:
    logs = client("logs")
    for group in all_entries(logs, "describe_log_groups", "logGroups"):
        name = group["logGroupName"]
        yield f"log group {name}", _text(group)
        for stream in all_entries(logs, "describe_log_streams", "logStreams", logGroupName=name):
            lines = "\n".join(_log_lines(logs, name, stream["logStreamName"]))
            yield f"log {name}/{stream['logStreamName']}", lines.encode()


def _log_lines(logs: Any, group: str, stream: str) -> Iterator[str]:
    of: dict[str, Any] = {"logGroupName": group, "logStreamName": stream, "startFromHead": True}
    while (answer := logs.get_log_events(**of))["events"]:
        yield from (event["message"] for event in answer["events"])
        of["nextToken"] = answer["nextForwardToken"]


def _metrics(client: Client) -> Iterator[Place]:
    cloudwatch = client("cloudwatch")
    yield "metrics", _text(all_entries(cloudwatch, "list_metrics", "Metrics"))
    yield "alarms", _text(cloudwatch.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"]))
    yield "dashboards", _text(cloudwatch.list_dashboards().get("DashboardEntries"))


def _messages(client: Client) -> Iterator[Place]:
    sqs, sns, events = client("sqs"), client("sns"), client("events")
    for url in sqs.list_queues().get("QueueUrls", ()):
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        yield f"queue {url}", _text(attributes)
        yield f"messages in {url}", _text(_peek(sqs, url, int(attributes["ApproximateNumberOfMessages"])))
    yield "topics", _text(all_entries(sns, "list_topics", "Topics"))
    yield "subscriptions", _text(all_entries(sns, "list_subscriptions", "Subscriptions"))
    for rule in events.list_rules()["Rules"]:
        yield f"rule {rule['Name']}", _text([rule, events.list_targets_by_rule(Rule=rule["Name"])["Targets"]])
    yield "archives", _text(events.list_archives()["Archives"])


def _peek(sqs: Any, url: str, count: int) -> list[Any]:
    """The messages of a queue, which stay in it and are visible to others all the while."""
    found: dict[str, Any] = {}
    for _ in range(count):
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        found |= {message["MessageId"]: message for message in answer.get("Messages", ())}
    return list(found.values())


def _queries(client: Client) -> Iterator[Place]:
    athena = client("athena")
    for query_id in athena.list_query_executions()["QueryExecutionIds"]:
        execution = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
        yield f"query {query_id}", _text(execution)
        if execution["Status"]["State"] == "SUCCEEDED":
            yield f"result of query {query_id}", _text(athena.get_query_results(QueryExecutionId=query_id))
    yield "work groups", _text(athena.list_work_groups())


def _functions(client: Client) -> Iterator[Place]:
    for function in all_entries(client("lambda"), "list_functions", "Functions"):
        yield f"function {function['FunctionName']}", _text(function)
    yield "schedules", _text(all_entries(client("scheduler"), "list_schedules", "Schedules"))


def _settings(client: Client) -> Iterator[Place]:
    yield "secrets", _text(all_entries(client("secretsmanager"), "list_secrets", "SecretList"))
    yield "parameters", _text(all_entries(client("ssm"), "describe_parameters", "Parameters"))
    yield "Lake Formation's grants", _text(client("lakeformation").list_permissions())
    roles = all_entries(client("iam"), "list_roles", "Roles")
    yield "roles", _text(roles)


def all_entries(client: Any, operation: str, field: str, **arguments: Any) -> list[Any]:
    """The entries of all pages of an answer."""
    if not client.can_paginate(operation):
        return getattr(client, operation)(**arguments).get(field, [])
    pages: Iterable[Any] = client.get_paginator(operation).paginate(**arguments)
    return [entry for page in pages for entry in page.get(field, ())]


def _text(answer: Any) -> bytes:
    return json.dumps(answer, default=str, ensure_ascii=False).encode()
