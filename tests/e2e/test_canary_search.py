"""The search for canaries can fail: it finds a canary in every place it looks at, and in every encoding."""

from __future__ import annotations

import base64
import gzip
import html
import io
import json
import quopri
import time
import unicodedata
import urllib.parse
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etl.aws.catalog import open_catalog
from scripts.offline_machine import REGION, Machine, start_machine
from tests.e2e.canary_places import Place, all_places, file_places, recorded_places, table_places
from tests.e2e.canary_search import FOREIGN_STEM, STEM, STEMS, Canaries, find_canaries

pytestmark = pytest.mark.slow

RAW, PROCESSED, DOCS = (f"canary-{zone}-123456789012" for zone in ("raw", "processed", "docs"))

ENCODINGS = {
    "UTF-8": str.encode,
    "lower case": lambda text: text.lower().encode(),
    "upper case": lambda text: text.upper().encode(),
    "mixed case": lambda text: text.title().swapcase().encode() if text.isascii() else text.encode(),
    "decomposed": lambda text: unicodedata.normalize("NFD", text).encode(),
    "UTF-16": lambda text: text.encode("utf-16"),
    "JSON": lambda text: json.dumps(text).encode(),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)).encode(),
    "Python": lambda text: ascii(text).encode(),
    "bytes of Python": lambda text: repr(text.encode()).encode(),
    "HTML": lambda text: html.escape(text).encode("ascii", "xmlcharrefreplace"),
    "hexadecimal HTML": lambda text: "".join(f"&#x{ord(c):X};" if ord(c) > 127 else c for c in text).encode(),
    "a URL": lambda text: urllib.parse.quote(text).encode(),
    "a form": lambda text: urllib.parse.urlencode({"Message": text}).encode(),
    "quoted-printable": lambda text: quopri.encodestring(text.encode()),
    "hexadecimal": lambda text: text.encode().hex().encode(),
    "base64": lambda text: base64.b64encode(text.encode()),
    "base64, shifted by one": lambda text: base64.b64encode(b"x" + text.encode() + b"yz"),
    "base64, shifted by two": lambda text: base64.b64encode(b"xy" + text.encode() + b"z"),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(b"??>" + text.encode()),
}


@pytest.mark.parametrize("stem", STEMS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_canary_is_found_in_every_encoding(encoding: str, stem: str):
    """Whatever writes it, and whatever stands around it."""
    written = ENCODINGS[encoding](Canaries().make("this", stem))

    assert find_canaries("here", b"before " + written + b" after")
    assert find_canaries("here", written)


@pytest.mark.parametrize("stem", STEMS)
def test_a_canary_cut_short_is_found(stem: str):
    """Its first eight letters are enough, and its last eight are too."""
    canary = Canaries().make("this", stem)

    assert find_canaries("here", f"name: {canary[:8]}...".encode())
    assert find_canaries("here", f"...{canary[-8:]}".encode())


@pytest.mark.parametrize("text", ["", "Zoë Núñez", "qzvexwh", "đőğűř", json.dumps(list(range(9999)))])
def test_nothing_else_is_found(text: str):
    """Other names, and less than a stem, are no hit."""
    assert not find_canaries("here", text.encode())


def test_what_is_compressed_is_searched():
    """gzip, half a gzip, zip, zip in zip, and the rows and the statistics of Parquet are looked into."""
    name = Canaries().make("this")
    zipped, wheel, parquet = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.txt", name * 9)
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.zip", zipped.getvalue())
    pq.write_table(pa.table({"name": [name, "Ada"]}), parquet, compression="zstd", write_statistics=False)
    gzipped = gzip.compress(name.encode() + bytes(99_999))

    for packed in (gzipped, gzipped[:-20], zipped.getvalue(), wheel.getvalue(), parquet.getvalue()):
        assert find_canaries("here", packed)


def test_a_hit_says_which_canary_and_where():
    """The report names the place and what the canary was planted for."""
    canaries = Canaries()
    canaries.make("something else")
    hit, *_ = find_canaries("a log", f"x {canaries.make('a bad row')} y".encode())

    assert "a log, as UTF-8: x Qzvexwhu" in str(hit)
    assert canaries.purpose(hit) == "a bad row"


@dataclass(frozen=True, slots=True)
class Planted:
    machine: Machine
    record: Path
    canaries: Canaries

    def found(self, places: Iterator[Place]) -> set[str]:
        """The purposes of the canaries that the search finds there."""
        hits = [hit for place, data in places for hit in find_canaries(place, data)]
        return {purpose for hit in hits for purpose in self.canaries.purpose(hit).split("; ")}


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    """An offline AWS without the stack, with one canary in each record that it keeps."""
    record, canaries = tmp_path_factory.mktemp("record") / "requests.jsonl", Canaries()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECORD", str(record))
        with start_machine(tmp_path_factory.mktemp("aws"), server="tests.e2e.recorded_aws") as (machine, _):
            for name, value in {
                "AWS_ACCESS_KEY_ID": "offline",
                "AWS_SECRET_ACCESS_KEY": "offline",
                "AWS_DEFAULT_REGION": REGION,
                "AWS_ENDPOINT_URL": machine.endpoint,
            }.items():
                patch.setenv(name, value)
            for plant in (_plant_objects, _plant_catalog, _plant_runs, _plant_monitoring, _plant_the_rest):
                plant(machine.client, canaries.make)
            yield Planted(machine, record, canaries)


def test_a_canary_is_found_in_every_record_of_an_account(planted: Planted):
    """All that was planted is found, but for what a zone for names may hold."""
    found = planted.found(all_places(planted.machine.client, {RAW: "nothing", PROCESSED: "keys"}))
    everything = {*planted.canaries.planted.values()}

    assert everything - found == {"mail", "raw object", "raw key", "processed object"}


def test_a_canary_is_found_in_every_file(planted: Planted):
    """Logs, mails and names of files are searched; only the requests to the raw zone are passed over."""
    folder = planted.machine.state_dir
    (folder / "logs" / "jr_1.out").write_text(planted.canaries.make("log of a job"))
    (folder / "logs" / planted.canaries.make("name of a file")).touch()
    found = planted.found(file_places(folder, RAW))

    assert {"log of a job", "name of a file", "mail", "key", "processed key"} <= found
    assert "raw key" not in found


def test_a_canary_is_found_in_what_was_said(planted: Planted):
    """Headers, bodies and paths of requests are searched, and answers; not what the zones for names hold."""
    found = planted.found(recorded_places(planted.record))

    assert {"body", "key", "metadata", "processed key", "metric", "mail", "message", "run property"} <= found
    assert not found & {"raw object", "raw key", "processed object"}


def test_a_canary_is_found_in_what_a_table_says_of_itself(planted: Planted):
    """A snapshot's summary and a table's properties are searched."""
    catalog, make = open_catalog(planted.machine.endpoint), planted.canaries.make
    catalog.create_namespace("canary_tables")
    rows = pa.table({"n": [1]})
    table = catalog.create_table(
        "canary_tables.t",
        rows.schema,
        location=f"s3://{PROCESSED}/t",
        properties={"owner": make("table property")},
    )
    table.append(rows, snapshot_properties={"note": make("snapshot summary")})

    assert planted.found(table_places(table)) == {"table property", "snapshot summary"}


def _plant_objects(client: Any, make: Any) -> None:
    s3 = client("s3")
    for bucket in (RAW, PROCESSED, DOCS):
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=DOCS, Key="page.html", Body=make("body").encode())
    s3.put_object(Bucket=DOCS, Key="overwritten", Body=make("old version").encode())
    s3.put_object(Bucket=DOCS, Key="overwritten", Body=b"")
    s3.put_object(Bucket=DOCS, Key="gone", Body=make("deleted version").encode())
    s3.delete_object(Bucket=DOCS, Key="gone")
    s3.put_object(Bucket=DOCS, Key="gzipped", Body=gzip.compress(make("gzipped body").encode()))
    s3.put_object(Bucket=DOCS, Key=f"runs/{make('key')}.json", Body=b"")
    s3.put_object(Bucket=DOCS, Key="with-metadata", Body=b"", Metadata={"note": make("metadata")})
    s3.put_object(Bucket=DOCS, Key="with-tag", Body=b"", Tagging=f"note={make('tag')}")
    s3.put_object(Bucket=RAW, Key=f"{make('raw key')}.csv", Body=make("raw object").encode())
    s3.put_object(Bucket=PROCESSED, Key=f"{make('processed key')}.parquet", Body=b"")
    s3.put_object(Bucket=PROCESSED, Key="staged", Body=make("processed object").encode())


def _plant_catalog(client: Any, make: Any) -> None:
    glue = client("glue")
    glue.create_database(DatabaseInput={"Name": "canaries", "Description": make("database")})
    for name, column, parameter in (("a", make("column comment"), ""), ("b", "", make("table parameter"))):
        storage = {
            "Columns": [{"Name": "n", "Type": "int", "Comment": column}],
            "Location": f"s3://{RAW}/{name}",
        }
        table = {"Name": name, "Parameters": {"note": parameter}, "StorageDescriptor": storage}
        glue.create_table(
            DatabaseName="canaries", TableInput=table | {"PartitionKeys": [{"Name": "p", "Type": "string"}]}
        )
    partition = {"Values": [make("partition")], "StorageDescriptor": storage}
    glue.create_partition(DatabaseName="canaries", TableName="a", PartitionInput=partition)


def _plant_runs(client: Any, make: Any) -> None:
    glue = client("glue")
    role = client("iam").create_role(
        RoleName="canary", AssumeRolePolicyDocument="{}", Description=make("role")
    )["Role"]["Arn"]
    command = {"Name": "glueetl", "ScriptLocation": f"s3://{DOCS}/none.py"}
    glue.create_job(Name="job", Role=role, Command=command, DefaultArguments={"--note": make("job argument")})
    glue.start_job_run(JobName="job", Arguments={"--note": make("run argument")})
    glue.create_workflow(Name="workflow", Description=make("workflow"))
    glue.create_trigger(
        Name="trigger",
        WorkflowName="workflow",
        Type="ON_DEMAND",
        Actions=[{"JobName": "job"}],
        Description=make("trigger"),
    )
    glue.start_workflow_run(Name="workflow", RunProperties={"key": make("run property")})
    glue.create_crawler(
        Name="crawler",
        Role=role,
        DatabaseName="canaries",
        Targets={"S3Targets": [{"Path": f"s3://{RAW}/a/"}]},
        Description=make("crawler"),
    )


def _plant_monitoring(client: Any, make: Any) -> None:
    logs, cloudwatch = client("logs"), client("cloudwatch")
    logs.create_log_group(logGroupName="/group")
    logs.create_log_stream(logGroupName="/group", logStreamName="stream")
    event = {"timestamp": int(1000 * time.time()), "message": make("log event")}
    logs.put_log_events(logGroupName="/group", logStreamName="stream", logEvents=[event])
    dimensions = [{"Name": "Dataset", "Value": make("metric")}]
    cloudwatch.put_metric_data(
        Namespace="N", MetricData=[{"MetricName": "M", "Dimensions": dimensions, "Value": 1}]
    )
    cloudwatch.put_metric_alarm(
        AlarmName="alarm",
        AlarmDescription=make("alarm"),
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1,
        MetricName="M",
        Namespace="N",
        Period=60,
        Statistic="Sum",
        Threshold=1,
    )


def _plant_the_rest(client: Any, make: Any) -> None:
    sns, sqs, events = client("sns"), client("sqs"), client("events")
    topic = sns.create_topic(Name="topic")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="somebody@example.com")
    sns.publish(TopicArn=topic, Subject=make("mail"), Message="read the subject")
    queue = sqs.create_queue(QueueName="queue")["QueueUrl"]
    for number in range(12):
        sqs.send_message(QueueUrl=queue, MessageBody=make("message") if number == 7 else "nothing")
    events.put_rule(Name="rule", EventPattern='{"source": ["x"]}', Description=make("rule"))
    client("athena").start_query_execution(
        QueryString=f"SELECT '{make('query')}'",
        ResultConfiguration={"OutputLocation": f"s3://{DOCS}/results/"},
    )
    client("secretsmanager").create_secret(
        Name="secret", Description=make("secret", FOREIGN_STEM), SecretString="x"
    )
    client("ssm").put_parameter(
        Name="parameter", Description=make("parameter", STEM), Value="x", Type="String"
    )
