"""One test's lake, and what a test asks of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from email.header import decode_header, make_header
from functools import cache
from typing import Any

import pyarrow as pa
from builders import NOON, TODAY

from etl.aws.catalog import open_catalog
from etl.aws.lake import Lake
from etl.batch import Batch
from etl.contract import Column
from etl.operations.records import record_key
from etl.settings import Settings
from etl.tables.iceberg import IcebergTable
from scripts.offline_aws.state import ServerState
from scripts.torture.world import create_iceberg_table

the_catalog = cache(open_catalog)  # a new client of Glue takes longer than most of its answers


@dataclass(frozen=True, slots=True)
class ALake:
    client: Callable[..., Any]
    name: str
    state: ServerState

    @property
    def topic_arn(self) -> str:
        return f"arn:aws:sns:{self.state.region}:{self.state.account_id}:{self.name}"

    def bucket(self, zone: str) -> str:
        return f"{self.name}-{zone}-{self.state.account_id}"

    def database(self, zone: str) -> str:
        return f"{self.name.replace('-', '_')}_{zone}"

    def of_run(self, run_id: str = "wr_1", *resumed: str) -> Lake:
        """The lake as one run of the jobs sees it; `resumed` are the runs that it resumes, newest first."""
        return Lake(
            Settings(
                dataset="employee",
                environment="local",
                expectations_uri=f"s3://{self.bucket('artifacts')}/expectations",
                processed_bucket=self.bucket("processed"),
                quarantine_bucket=self.bucket("quarantine"),
                docs_bucket=self.bucket("docs"),
                processed_database=self.database("processed"),
                quarantine_database=self.database("quarantine"),
                alert_topic_arn=self.topic_arn,
                metrics_namespace="Lakegate",
                runbooks_url="docs/runbooks",
                workflow_name=f"{self.name}-employee",
                run_id=run_id,
                endpoint_url=self.state.endpoint,
            ),
            resumed,
        )

    def put_expectation(self, key: str, text: str) -> None:
        self.client("s3").put_object(
            Bucket=self.bucket("artifacts"), Key=f"expectations/{key}", Body=text.encode()
        )

    def create_table(self, zone: str, columns: Sequence[Column], table: str = "employee") -> None:
        glue = self.client("glue")
        if self.database(zone) not in {d["Name"] for d in glue.get_databases()["DatabaseList"]}:
            glue.create_database(DatabaseInput={"Name": self.database(zone)})
        create_iceberg_table(glue, self.database(zone), self.bucket(zone), table, columns)

    def drop_table(self, zone: str, table: str = "employee") -> None:
        self.client("glue").delete_table(DatabaseName=self.database(zone), Name=table)

    def table(self, zone: str = "processed", catalog: Any = None) -> IcebergTable:
        return IcebergTable(catalog or the_catalog(self.state.endpoint), (self.database(zone), "employee"))

    def rows(self, zone: str = "processed") -> pa.Table:
        """The table as a reader sees it now."""
        catalog = the_catalog(self.state.endpoint)
        return catalog.load_table((self.database(zone), "employee")).scan().to_arrow()

    def snapshots(self, zone: str = "processed") -> int:
        catalog = the_catalog(self.state.endpoint)
        return len(catalog.load_table((self.database(zone), "employee")).snapshots())

    def keys(self, zone: str, prefix: str = "") -> list[str]:
        pages = self.client("s3").get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=self.bucket(zone), Prefix=prefix)
        return [entry["Key"] for page in found for entry in page.get("Contents", [])]

    def data_files(self) -> list[str]:
        """All Parquet files under the table's location, live or not."""
        return [key for key in self.keys("processed", "warehouse/") if key.endswith(".parquet")]

    def live_files(self) -> list[str]:
        """The Parquet files that the current snapshot names."""
        catalog = the_catalog(self.state.endpoint)
        tasks = catalog.load_table((self.database("processed"), "employee")).scan().plan_files()
        return sorted(t.file.file_path.removeprefix(f"s3://{self.bucket('processed')}/") for t in tasks)

    def land(self, data: bytes, on: date = TODAY, file: str = "employees.csv") -> Batch:
        """Put a file into the raw zone; the batch is what its event says."""
        key = f"employee/dt={on}/{file}"
        answer = self.client("s3").put_object(Bucket=self.bucket("raw"), Key=key, Body=data)
        etag = answer["ETag"].strip('"')
        return Batch("employee", on, self.bucket("raw"), key, answer["VersionId"], etag, len(data), NOON)

    def report(self, run_id: str, part: str) -> dict[str, Any]:
        """The `gate`, `merge` or `manifest` of a run."""
        key = f"runs/employee/{run_id}/{part}.json"
        return json.loads(self.client("s3").get_object(Bucket=self.bucket("docs"), Key=key)["Body"].read())

    def records(self, table: str, run_id: str) -> list[dict[str, Any]]:
        """What the run over the batch of today left in one of the tables of operations."""
        key = record_key(table, "employee", TODAY, run_id)
        body = self.client("s3").get_object(Bucket=self.bucket("docs"), Key=key)["Body"].read()
        return [json.loads(line) for line in body.decode().splitlines()]

    def has_report(self, run_id: str, part: str) -> bool:
        return f"runs/employee/{run_id}/{part}.json" in self.keys("docs")

    def page(self, name: str) -> str:
        """A page of the Data Docs, by its name under their prefix."""
        key = f"data-docs/{name}"
        return self.client("s3").get_object(Bucket=self.bucket("docs"), Key=key)["Body"].read().decode()

    def mails(self) -> list[str]:
        """Subject and text of the alerts so far, oldest first."""
        texts = [path.read_text("utf-8") for path in sorted(self.state.outbox_dir.glob("*.txt"))]
        return [_readable(text) for text in texts if f"To: {self.name}@example.com\n" in text]


def _readable(mail: str) -> str:
    head, _, body = mail.partition("\n\n")
    subject = next(line for line in head.splitlines() if line.startswith("Subject: "))
    return f"{make_header(decode_header(subject.removeprefix('Subject: ')))}\n{body}"
