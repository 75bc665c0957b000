"""A batch's way: gate, then merge. The steps in order, and nothing else."""

from datetime import UTC, datetime

import pyarrow as pa

from etl.aws.lake import Lake
from etl.batch import Batch, MergeMode
from etl.contract import Contract
from etl.custom_properties import Engine
from etl.errors import ContractInvalid, FileRejected, GateBroken, GateRejected, HistoryInvalid, SuiteInvalid
from etl.gates import Gate, OneProcessGate, ReadFile
from etl.manifest import Manifest
from etl.merged import Duplicates
from etl.quality.suite import Suite, load_suite
from etl.quality.validate import Validation
from etl.reporting import Finding, report_gate, report_merge
from etl.run_report import GateReport, MergeReport, Verdict
from etl.steps.dedupe import dedupe_rows
from etl.steps.gate import Judgement
from etl.steps.history import describe_batch, usual_figures
from etl.steps.identity import count_duplicates
from etl.steps.keys import hash_rows
from etl.steps.merge import add_lineage
from etl.steps.stage import from_staged_file
from etl.stopwatch import Stopwatch
from etl.tables.table import BATCH_ID, RUN_ID, STAGED_SHA256
from etl.tables.writing import merge_batch, set_aside


def run_gate(batch: Batch, run_id: str, lake: Lake) -> GateReport:
    """Read, validate, judge; set aside what failed, stage what passed, report.

    Raises GateRejected or GateBroken, after the report, the page, the metrics and the alert are out.
    """
    watch = Stopwatch()
    finding, gate = examine(batch, lake, watch)
    if finding.judgement.verdict.lets_rows_pass:
        with watch.stage("quarantine"):
            released = _quarantine(batch, run_id, finding, gate, lake)
        with watch.stage("stage"):
            _hand_over(batch, run_id, finding, gate, released, lake)
        with watch.stage("history"):  # before the report: who finds it may rely on the batch being remembered
            judged = finding.rows_read - finding.rows_unparsable
            described = describe_batch(batch, judged, finding.read.null_counts, finding.declared)
            lake.remember_batch(described)
    report = report_gate(batch, run_id, finding, lake, watch)
    if finding.judgement.verdict is Verdict.ERROR:
        raise GateBroken(batch.batch_id, finding.judgement.problems)
    if finding.judgement.verdict is Verdict.REJECTED:
        raise GateRejected(batch.batch_id, finding.judgement.reason or "")
    return report


def run_merge(batch: Batch, mode: MergeMode, run_id: str, lake: Lake) -> MergeReport:
    """Take what the gate passed, keep one row per key, merge it in one commit, report.

    On the engine that the contract asks for; what the gate staged may be another one's.
    """
    watch = Stopwatch()
    declared = lake.read_contract()
    if declared.engine_for(batch.size_bytes) is Engine.SPARK:
        from etl.spark.run import merge_on_spark  # pyspark is installed only where a contract asks for it

        return merge_on_spark(batch, mode, run_id, declared, lake, watch)
    with watch.stage("read"):
        manifest = lake.read_manifest(batch)
        contract = declared.with_new_columns(manifest.new_columns)
        staged = (from_staged_file(lake.read_staged(f), f, contract) for f in manifest.files)
        rows = pa.concat_tables(staged)
    with watch.stage("dedupe"):
        merging, duplicates = make_mergeable(rows, declared, contract, batch, run_id)
    with watch.stage("merge"):
        marks = {BATCH_ID: batch.batch_id, STAGED_SHA256: manifest.staged_sha256, RUN_ID: manifest.run_id}
        columns = (*contract.columns, *lake.lineage_columns())
        merged = merge_batch(
            lake.table(),
            merging,
            marks,
            contract.key,
            mode,
            columns,
            contract.identity,
            lake.confirmations(batch, manifest, contract),
        )
    lake.release_rows(manifest)  # after the commit: a row is never in neither table
    return report_merge(batch, mode, run_id, manifest, duplicates, merged, contract.identity, lake, watch)


def make_mergeable(
    rows: pa.Table, declared: Contract, contract: Contract, batch: Batch, run_id: str
) -> tuple[pa.Table, Duplicates]:
    """One row per key, with its lineage; `contract` is `declared` with the columns that the file brought."""
    new_columns = contract.column_names[len(declared.columns) :]
    hashes = hash_rows(rows, declared.column_names, new_columns)
    hashed = rows.append_column("_row_hash", hashes)
    deduped = dedupe_rows(hashed, contract.key, "_row_hash", contract.deduplicate)
    kept = deduped.rows.drop_columns("_row_hash")
    duplicates = count_duplicates(deduped, contract.key, contract.identity)
    return add_lineage(kept, deduped.rows["_row_hash"], batch, run_id, datetime.now(UTC)), duplicates


def examine(batch: Batch, lake: Lake, watch: Stopwatch, engine: Engine | None = None) -> tuple[Finding, Gate]:
    """What the gate knows of the batch, by the engine given or that of the contract; nothing is written.

    A file or a suite that cannot be used is a verdict too.
    """
    declared: Contract | None = None
    contract: Contract | None = None
    suite: Suite | None = None
    read: ReadFile | None = None
    validation: Validation | None = None
    usual: dict[str, int | float | None] = {}
    gate: Gate = OneProcessGate(batch, lake)
    try:
        declared = contract = lake.read_contract()
        suite = load_suite(lake.read_suite(), f"{batch.dataset}/suite.json", contract)
        if (engine or declared.engine_for(batch.size_bytes)) is Engine.SPARK:
            from etl.spark.gate import SparkGate  # pyspark is installed only where a contract asks for it

            gate = SparkGate(batch, lake)
        with watch.stage("read"):
            read = gate.read(contract)
        contract = contract.with_new_columns(read.drift.new_columns)
        with watch.stage("validate"):
            history = lake.read_history() if declared.history else ()
            usual = usual_figures(history, declared, batch.batch_date)
            validation = gate.validate(suite, contract, usual)
        judgement = gate.judge(validation, contract)
    except FileRejected as error:
        judgement = Judgement(Verdict.REJECTED, str(error))
    except (ContractInvalid, HistoryInvalid, SuiteInvalid) as error:
        judgement = Judgement(Verdict.ERROR, "the check cannot be made", problems=(str(error),))
    return Finding(judgement, declared, contract, suite, read, validation, usual), gate


def _quarantine(batch: Batch, run_id: str, finding: Finding, gate: Gate, lake: Lake) -> tuple[int, ...]:
    """Set aside what failed → the lines that an earlier run over the batch set aside, and that pass now."""
    columns = lake.quarantine_columns()
    rows = gate.set_aside(finding.judgement, finding.contract, run_id, finding.suite, columns)
    return set_aside(lake.quarantine_table(), batch.batch_id, rows, columns)


def _hand_over(
    batch: Batch, run_id: str, finding: Finding, gate: Gate, released: tuple[int, ...], lake: Lake
) -> None:
    """Stage the rows that passed; the manifest comes last, since with it the merge may begin."""
    staged = gate.stage(finding.judgement, finding.contract)
    lake.write_manifest(
        Manifest(
            dataset=batch.dataset,
            batch_id=batch.batch_id,
            run_id=run_id,
            folder_uri=batch.folder_uri,
            object_version=batch.version_id,
            object_etag=batch.etag,
            suite_fingerprint=finding.suite.fingerprint,
            verdict=finding.judgement.verdict,
            staged_uri=staged.uri,
            staged_sha256=staged.sha256,
            rows_read=finding.read.count,
            rows_passed=finding.rows_passed,
            rows_quarantined=finding.judgement.rows_rejected,
            rows_unparsable=finding.read.unparsable_count,
            new_columns=finding.read.drift.new_columns,
            staged_parts=staged.parts,
            released_lines=released,
        )
    )
