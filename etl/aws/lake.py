"""The lake of one run: its zones, tables, metrics and alerts, on AWS."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, BinaryIO, Literal

import pyarrow as pa

from etl.alert import Alert
from etl.aws import object_store
from etl.aws.alerts import Outbox
from etl.aws.cases import change_case
from etl.aws.catalog import open_catalog
from etl.aws.confirmations import BatchConfirmations
from etl.aws.freshness import update_latest
from etl.aws.metrics import publish_metrics
from etl.aws.operations import read_run, update_run, write_expectation_results
from etl.aws.recovery import settle_cases
from etl.aws.table_files import S3TableFiles
from etl.batch import Batch, MergeMode, to_run_properties
from etl.contract import Column, Contract, load_columns, load_contract
from etl.errors import HistoryInvalid, ManifestInvalid, ObjectMissing
from etl.maintenance_report import MaintenanceReport
from etl.manifest import Manifest, parse_manifest
from etl.operations.case import Case
from etl.operations.freshness import Cause, Latest
from etl.operations.records import ExpectationRecord, RunRecord
from etl.run_files import (
    batch_key,
    gate_report_key,
    history_key,
    maintenance_report_key,
    manifest_key,
    merge_report_key,
    page_key,
)
from etl.run_report import GateReport, MergeReport, Verdict
from etl.settings import Settings
from etl.steps.confirmed import hashing_of
from etl.steps.history import AcceptedBatch, add_to_history, history_to_json, parse_history
from etl.steps.listed_keys import hash_keys
from etl.tables.iceberg import IcebergTable
from etl.tables.maintenance_iceberg import MaintainedTable
from etl.tables.writing import release_rows


class Lake:
    """Everything a run reads and writes; each method is one effect."""

    def __init__(self, settings: Settings, resumed_run_ids: tuple[str, ...] = ()):
        """`resumed_run_ids` are the runs that this one resumes, newest first."""
        self._settings = settings
        self._run_ids = (settings.run_id, *resumed_run_ids)
        self._artifacts, self._expectations = object_store.parse_s3_uri(settings.expectations_uri)
        self._catalog = open_catalog(settings.endpoint_url)

    def read_contract(self) -> Contract:
        name = f"{self._settings.dataset}/contract.yaml"
        return load_contract(self._read_expectations(name), name, self._settings.dataset)

    def read_suite(self) -> str:
        return self._read_expectations(f"{self._settings.dataset}/suite.json")

    def release_rows(self, manifest: Manifest) -> None:
        """Let the rows leave the quarantine that were merged with the manifest's."""
        if manifest.released_lines:
            release_rows(self.quarantine_table(), manifest.batch_id, manifest.released_lines)

    def quarantine_columns(self) -> tuple[Column, ...]:
        return load_columns(self._read_expectations("quarantine.yaml"), "quarantine.yaml")

    def lineage_columns(self) -> tuple[Column, ...]:
        return load_columns(self._read_expectations("lineage.yaml"), "lineage.yaml")

    def open_batch(self, batch: Batch) -> BinaryIO:
        return object_store.open_batch(batch)

    def table(self) -> IcebergTable:
        return IcebergTable(self._catalog, self.table_name)

    @property
    def table_name(self) -> tuple[str, str]:
        """Database and table of `table`, in the Glue catalog."""
        return self._settings.processed_database, self._settings.dataset

    def quarantine_table(self) -> IcebergTable:
        return IcebergTable(self._catalog, (self._settings.quarantine_database, self._settings.dataset))

    def maintained_table(self, zone: Literal["processed", "quarantine"]) -> MaintainedTable:
        databases = {
            "processed": self._settings.processed_database,
            "quarantine": self._settings.quarantine_database,
        }
        return MaintainedTable(self._catalog, (databases[zone], self._settings.dataset))

    def table_files(self) -> S3TableFiles:
        return S3TableFiles()

    def stage(self, staged: bytes) -> str:
        """Write the staged file of this run and return its URI."""
        return object_store.write_parquet(f"{self.staging_uri}/batch.parquet", staged)

    @property
    def staging_uri(self) -> str:
        """Where this run stages what passed."""
        folder = f"staging/{self._settings.dataset}/{self._settings.run_id}"
        return f"s3://{self._settings.processed_bucket}/{folder}"

    def confirmations(self, batch: Batch, manifest: Manifest, contract: Contract) -> BatchConfirmations:
        bucket, hashing = self._settings.processed_bucket, hashing_of(contract)
        return BatchConfirmations(bucket, batch, manifest.staged_sha256, hashing)

    def read_staged(self, manifest: Manifest) -> bytes:
        return object_store.read_object(*object_store.parse_s3_uri(manifest.staged_uri))

    def write_manifest(self, manifest: Manifest) -> None:
        key = manifest_key(manifest.dataset, manifest.run_id)
        self._write_docs(key, manifest.to_json(), "application/json")

    def read_manifest(self, batch: Batch) -> Manifest:
        """Of this run's gate, or of that of the run which it resumes.

        Raises ManifestInvalid when there is none, or none that is a pass.
        """
        bucket = self._settings.docs_bucket
        for run_id in self._run_ids:
            key = manifest_key(batch.dataset, run_id)
            try:
                text = object_store.read_object(bucket, key).decode()
            except ObjectMissing:
                continue
            return parse_manifest(text, f"s3://{bucket}/{key}", batch.batch_id)
        missing = f"s3://{bucket}/{manifest_key(batch.dataset, self._settings.run_id)}"
        raise ManifestInvalid(missing, "the gate of this run passed nothing on")

    def read_history(self) -> tuple[AcceptedBatch, ...]:
        """The batches of the dataset that a gate let pass; none yet is an empty history.

        Raises HistoryInvalid.
        """
        uri = f"s3://{self._settings.docs_bucket}/{history_key(self._settings.dataset)}"
        try:
            text = object_store.read_object(*object_store.parse_s3_uri(uri))
            return parse_history(json.loads(text), uri)
        except ObjectMissing:
            return ()
        except ValueError as error:
            raise HistoryInvalid(uri, "not JSON") from error

    def remember_batch(self, accepted: AcceptedBatch) -> None:
        """Add the batch to the history, once, beside what other runs add. Raises HistoryInvalid."""
        bucket, key = self._settings.docs_bucket, history_key(self._settings.dataset)

        def add(document: Any) -> Any:
            history = parse_history(document, f"s3://{bucket}/{key}")
            return history_to_json(add_to_history(history, accepted))

        try:
            object_store.update_json(bucket, key, add)
        except ValueError as error:
            raise HistoryInvalid(f"s3://{bucket}/{key}", "not JSON") from error

    def begin_run(self, batch: Batch, trigger: str, mode: MergeMode) -> None:
        """Let there be a record of the run, unless there is. One that resumes another knows what it did."""
        bucket, begun = self._settings.docs_bucket, self._begun(batch, trigger, mode)
        found = (read_run(bucket, begun, run_id) for run_id in self._run_ids[1:])
        resumed = next((run.resumed_as(begun.run_id) for run in found if run), begun)
        update_run(bucket, resumed)

    def update_run(self, batch: Batch, change: Callable[[RunRecord], RunRecord]) -> None:
        begun = self._begun(batch, "unknown", MergeMode.UPSERT)  # of a run that no job began
        update_run(self._settings.docs_bucket, begun, change)

    def _begun(self, batch: Batch, trigger: str, mode: MergeMode) -> RunRecord:
        return RunRecord.of_batch(self._settings.run_id, batch, trigger, mode)

    def mark_published(self, batch: Batch, run_id: str) -> None:
        """Let the probe of freshness know."""
        now, date_, of = datetime.now(UTC), batch.batch_date, (batch.batch_id, run_id, batch.landed_at)
        self._update_latest(lambda known: known.with_published(batch.version_id, date_, *of, now))

    def mark_refused(self, batch: Batch, cause: Cause) -> None:
        self._update_latest(lambda known: known.with_refused(batch.version_id, batch.batch_date, cause))

    def _update_latest(self, change: Callable[[Latest], Latest]) -> None:
        update_latest(self._settings.docs_bucket, self._settings.dataset, change)

    def write_expectation_results(self, records: Sequence[ExpectationRecord]) -> None:
        write_expectation_results(self._settings.docs_bucket, records)

    def write_gate_report(self, report: GateReport) -> None:
        key = gate_report_key(report.dataset, report.run_id)
        self._write_docs(key, json.dumps(asdict(report), indent=2), "application/json")
        note = {"run_id": report.run_id, "verdict": report.verdict}
        self._write_docs(batch_key(report.dataset, report.batch_id), json.dumps(note), "application/json")

    def write_merge_report(self, report: MergeReport) -> None:
        key = merge_report_key(report.dataset, report.run_id)
        self._write_docs(key, json.dumps(asdict(report), indent=2), "application/json")

    def write_maintenance_report(self, report: MaintenanceReport) -> None:
        key = maintenance_report_key(report.dataset, report.run_id)
        self._write_docs(key, json.dumps(asdict(report), indent=2), "application/json")

    def merge_report_uri(self, report: MergeReport) -> str:
        return f"s3://{self._settings.docs_bucket}/{merge_report_key(report.dataset, report.run_id)}"

    def hash_keys(self, keys: pa.Table | None) -> tuple[str, ...]:
        """What names `keys` (etl.steps.listed_keys.list_keys) outside the zones for names."""
        return tuple(hash_keys(keys, self.table().secret)) if keys else ()

    def docs_uri(self, name: str) -> str:
        return f"s3://{self._settings.docs_bucket}/{page_key(name)}"

    def write_page(self, name: str, body: str | bytes, content_type: str = "text/html") -> None:
        self._write_docs(page_key(name), body, content_type)

    def has_page(self, name: str) -> bool:
        return object_store.has_object(self._settings.docs_bucket, page_key(name))

    def publish_list(
        self,
        name: str,
        page: str,
        change: Callable[[list[Any] | None], list[Any]],
        render: Callable[[list[Any]], str],
    ) -> None:
        """Change the list `name` and the page that shows it, so that neither loses what another run did."""

        def show(entries: list[Any]) -> None:
            self.write_page(page, render(entries))

        object_store.update_json(self._settings.docs_bucket, page_key(name), change, show)

    def quarantine_query(self, run_id: str) -> str:
        """What a data steward asks Athena to see the rows that this run set aside."""
        table = f'"{self._settings.quarantine_database}"."{self._settings.dataset}"'
        return f"SELECT line_number, kind, reasons, row_text FROM {table} WHERE run_id = '{run_id}'"

    def publish_metrics(self, values: Mapping[str, float]) -> None:
        publish_metrics(self._settings.metrics_namespace, self._settings.dataset, values)

    def publish_alert(self, alert: Alert) -> None:
        """What SNS does not take now, it gets later; no run fails for it."""
        self._outbox.send(alert)

    @property
    def first_run_id(self) -> str:
        """Of this run and those that it resumes; what is told of them is told once."""
        return self._run_ids[-1]

    @property
    def environment(self) -> str:
        return self._settings.environment

    @property
    def runbooks_url(self) -> str:
        return self._settings.runbooks_url

    def open_case(self, batch: Batch, verdict: Verdict) -> None:
        """Remember that the gate let nothing of the batch pass, until a version of its file is published."""
        begun = Case.of(to_run_properties(batch, MergeMode.UPSERT, ""), self.first_run_id)
        bucket = self._settings.docs_bucket
        change_case(bucket, begun, lambda case: case.judge(verdict, self.first_run_id))

    def settle_cases(self, batch: Batch) -> None:
        """What was open about the batch's file is over: it is published."""
        settle_cases(batch, self._settings.run_id, self._outbox, self._settings.runbooks_url)

    @property
    def _outbox(self) -> Outbox:
        return Outbox(self._settings.alert_topic_arn, self._settings.docs_bucket)

    def _read_expectations(self, name: str) -> str:
        return object_store.read_object(self._artifacts, f"{self._expectations}/{name}").decode()

    def _write_docs(self, key: str, body: str | bytes, content_type: str) -> None:
        data = body.encode() if isinstance(body, str) else body
        object_store.write_object(self._settings.docs_bucket, key, data, content_type)
