"""A lake on the offline AWS that can be put back into a state it was in, and the batches that come to it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config

from etl.aws.catalog import open_catalog
from etl.batch import Batch, MergeMode, to_run_properties
from etl.contract import Column, load_columns, load_contract
from scripts.offline_aws.state import ServerState
from scripts.torture.feed import expectations, files

ZONES = ("raw", "processed", "quarantine", "docs", "artifacts")
WRITTEN_ZONES = ("processed", "quarantine", "docs")
TABLES = ("processed", "quarantine")

_CONFIG = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})


@dataclass(frozen=True, slots=True)
class Saved:
    """The objects of the zones that runs write, by zone and key with their ETag, and the tables' entries."""

    objects: dict[str, dict[str, tuple[str, bytes]]]
    tables: dict[str, dict[str, Any]]


@dataclass
class World:
    """`feed` has the batches, as scripts.torture.feed.files tells.

    `runs` are workflow runs by name: one for each batch, and `again`, another one of the nightly batch.
    """

    state: ServerState
    name: str = "torture"
    feed: Mapping[str, tuple[date, bytes]] = field(default_factory=files)
    runs: dict[str, str] = field(default_factory=dict)

    @cached_property
    def s3(self) -> Any:
        return self._client("s3")

    @cached_property
    def glue(self) -> Any:
        return self._client("glue")

    @cached_property
    def catalog(self) -> Any:
        return open_catalog(self.state.endpoint)

    def bucket(self, zone: str) -> str:
        return f"{self.name}-{zone}"

    def build(self) -> None:
        for zone in ZONES:
            self.s3.create_bucket(Bucket=self.bucket(zone))
        self.s3.put_bucket_versioning(
            Bucket=self.bucket("raw"), VersioningConfiguration={"Status": "Enabled"}
        )
        for key, body in expectations().items():
            self.s3.put_object(Bucket=self.bucket("artifacts"), Key=f"expectations/{key}", Body=body)
        contract = load_contract(expectations()["employee/contract.yaml"].decode(), "contract.yaml")
        self._create_table("processed", (*contract.columns, *_columns("lineage.yaml")))
        self._create_table("quarantine", _columns("quarantine.yaml"))
        sns = self._client("sns")
        self._topic = sns.create_topic(Name=self.name)["TopicArn"]
        sns.subscribe(TopicArn=self._topic, Protocol="email", Endpoint="torture@example.com")
        self.glue.create_workflow(Name=f"{self.name}-employee")
        self.glue.create_trigger(
            Name=self.name,
            Type="ON_DEMAND",
            WorkflowName=f"{self.name}-employee",
            Actions=[{"JobName": "none"}],
        )
        batches = dict(zip(self.feed, self._land(), strict=True))
        for name, batch in batches.items():
            mode = MergeMode.INSERT_ONLY if name == "backfill" else MergeMode.UPSERT
            self._start_run(name, batch, mode)
        self._start_run("again", batches["nightly"], MergeMode.UPSERT)

    def arguments(self, run: str) -> list[str]:
        """Those of a Glue job of this run."""
        values = {
            "dataset": "employee",
            "environment": "local",
            "expectations_uri": f"s3://{self.bucket('artifacts')}/expectations",
            "processed_bucket": self.bucket("processed"),
            "quarantine_bucket": self.bucket("quarantine"),
            "docs_bucket": self.bucket("docs"),
            "processed_database": self._database("processed"),
            "quarantine_database": self._database("quarantine"),
            "alert_topic_arn": self._topic,
            "metrics_namespace": "Lakegate",
            "runbooks_url": "docs/runbooks",
            "WORKFLOW_NAME": f"{self.name}-employee",
            "WORKFLOW_RUN_ID": self.runs[run],
        }
        return [part for name, value in values.items() for part in (f"--{name}", value)]

    def save(self) -> Saved:
        objects = {
            zone: {key: (etag, self.read(zone, key)) for key, etag in self.listed(zone).items()}
            for zone in WRITTEN_ZONES
        }
        return Saved(objects, {zone: self._table_input(zone) for zone in TABLES})

    def restore(self, saved: Saved) -> None:
        for zone, objects in saved.objects.items():
            bucket, now = self.bucket(zone), self.listed(zone)
            if added := [{"Key": key} for key in now if key not in objects]:
                self.s3.delete_objects(Bucket=bucket, Delete={"Objects": added})
            for key, (etag, body) in objects.items():
                if now.get(key) != etag:
                    self.s3.put_object(Bucket=bucket, Key=key, Body=body)
        for zone, table_input in saved.tables.items():
            self.glue.update_table(
                DatabaseName=self._database(zone), TableInput=table_input, SkipArchive=True
            )
        for mail in self.state.outbox_dir.glob("*.txt"):
            mail.unlink()

    def listed(self, zone: str) -> dict[str, str]:
        """The ETags of all objects of the zone, by key."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket(zone))
        return {entry["Key"]: entry["ETag"] for page in pages for entry in page.get("Contents", ())}

    def read(self, zone: str, key: str) -> bytes:
        return self.s3.get_object(Bucket=self.bucket(zone), Key=key)["Body"].read()

    def read_json(self, key: str) -> Any:
        return json.loads(self.read("docs", key))

    def table(self, zone: str) -> Any:
        return self.catalog.load_table((self._database(zone), "employee"))

    def mails(self) -> list[str]:
        return [path.read_text("utf-8") for path in sorted(self.state.outbox_dir.glob("*.txt"))]

    def _land(self) -> Iterator[Batch]:
        for number, (name, (on, content)) in enumerate(self.feed.items()):
            key = f"employee/dt={on}/{name}.csv"
            put = self.s3.put_object(Bucket=self.bucket("raw"), Key=key, Body=content)
            landed_at = datetime(on.year, on.month, on.day, number, tzinfo=UTC)
            etag = put["ETag"].strip('"')
            yield Batch(
                "employee", on, self.bucket("raw"), key, put["VersionId"], etag, len(content), landed_at
            )

    def _start_run(self, name: str, batch: Batch, mode: MergeMode) -> None:
        properties = to_run_properties(batch, mode, "landed")
        workflow = f"{self.name}-employee"
        self.runs[name] = self.glue.start_workflow_run(Name=workflow, RunProperties=properties)["RunId"]

    def _create_table(self, zone: str, columns: tuple[Column, ...]) -> None:
        self.glue.create_database(DatabaseInput={"Name": self._database(zone)})
        create_iceberg_table(self.glue, self._database(zone), self.bucket(zone), "employee", columns)

    def _table_input(self, zone: str) -> dict[str, Any]:
        table = self.glue.get_table(DatabaseName=self._database(zone), Name="employee")["Table"]
        return {name: table[name] for name in ("Name", "TableType", "StorageDescriptor", "Parameters")}

    def _database(self, zone: str) -> str:
        return f"{self.name}_{zone}"

    def _client(self, service: str) -> Any:
        return boto3.client(service, config=_CONFIG)


def create_iceberg_table(
    glue: Any, database: str, bucket: str, table: str, columns: Iterable[Column]
) -> None:
    """An empty Iceberg table, by the request that Terraform's open_table_format_input makes."""
    glue.create_table(
        DatabaseName=database,
        TableInput={
            "Name": table,
            "TableType": "EXTERNAL_TABLE",
            "StorageDescriptor": {
                "Location": f"s3://{bucket}/warehouse/{table}",
                "Columns": [{"Name": column.name, "Type": column.type} for column in columns],
            },
        },
        OpenTableFormatInput={"IcebergInput": {"MetadataOperation": "CREATE", "Version": "2"}},
    )


def _columns(file: str) -> tuple[Column, ...]:
    return load_columns(expectations()[file].decode(), file)
