"""A batch's way on Spark: the same steps as in etl/pipeline.py, with the same report at the end."""

from datetime import UTC, datetime

from pyspark import StorageLevel

from etl.aws.lake import Lake
from etl.batch import Batch, MergeMode
from etl.contract import Contract
from etl.reporting import report_merge
from etl.run_report import MergeReport
from etl.spark.batches import executors_errors
from etl.spark.merge import merge_rows
from etl.spark.pinned import PinnedTable
from etl.spark.session import CATALOG, open_session
from etl.spark.staged import count_dropped, dedupe_staged, kept_rows, read_staged
from etl.stopwatch import Stopwatch
from etl.tables.table import BATCH_ID, RUN_ID, STAGED_SHA256


def merge_on_spark(
    batch: Batch, mode: MergeMode, run_id: str, declared: Contract, lake: Lake, watch: Stopwatch
) -> MergeReport:
    """What etl.pipeline.run_merge does."""
    manifest = lake.read_manifest(batch)
    contract = declared.with_new_columns(manifest.new_columns)
    lineage = lake.lineage_columns()
    with watch.stage("session"):
        session = open_session()
    with executors_errors():
        with watch.stage("dedupe"):
            staged = read_staged(session, manifest, declared, contract)
            deduped = dedupe_staged(staged, contract, lineage, batch, run_id, datetime.now(UTC))
            deduped.persist(StorageLevel.MEMORY_AND_DISK)
            dropped = count_dropped(deduped, contract)
        with watch.stage("merge"):
            marks = {BATCH_ID: batch.batch_id, STAGED_SHA256: manifest.staged_sha256, RUN_ID: manifest.run_id}
            kept, count = kept_rows(deduped), manifest.rows_passed - dropped.exact - dropped.conflicting
            table, pinned = lake.table(), PinnedTable(session, (CATALOG, *lake.table_name))
            columns = (*contract.columns, *lineage)
            confirmations = lake.confirmations(batch, manifest, contract)
            merged = merge_rows(kept, count, table, pinned, marks, contract, mode, columns, confirmations)
    deduped.unpersist()
    lake.release_rows(manifest)
    return report_merge(batch, mode, run_id, manifest, dropped, merged, contract.identity, lake, watch)
