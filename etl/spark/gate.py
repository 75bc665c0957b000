"""The gate on Spark: a file in splits, each read and evaluated where it is by the code of the small gate.

A split is read anew by every pass instead of being kept: reading is cheap beside what keeping the rows of
many splits would take of an executor's memory. What comes to the driver are counts, and the rows to
quarantine, whose share the contract bounds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import reduce

import numpy as np
import pyarrow as pa
from pyspark import StorageLevel

from etl.aws.lake import Lake
from etl.aws.object_store import write_parquet
from etl.batch import Batch
from etl.contract import Column, Contract
from etl.errors import FileRejected
from etl.gates import Staged
from etl.manifest import StagedPart, checksum_of_parts
from etl.quality.frame import Form, form_of
from etl.quality.parts import PartFindings, examine_part, judge_parts
from etl.quality.suite import Suite
from etl.quality.validate import Validation
from etl.reading.splits import RangeScan, Refusal, can_be_split, plan_splits, read_joining, scan_range
from etl.schema_drift import Drift
from etl.spark.batches import executors_errors
from etl.spark.repeated import find_repeated
from etl.spark.session import open_session
from etl.spark.split_file import SplitFile, open_file, read_range
from etl.spark.tasks import Answer, answers_of, for_each, for_each_kept
from etl.steps.gate import Judgement, count_rows, decide, find_incomplete_rows, list_reasons
from etl.steps.quarantine import collect_quarantine, keep_passed_rows
from etl.steps.stage import checksum, to_staged_file

SPLIT_BYTES = 64 * 2**20
_MOST_SPLITS = 20_000  # of each, the driver is told some kilobytes
Failed = Mapping[str, np.ndarray]
"""Of one split, positions (int64, ascending) by what the rows failed."""
_NO_ROWS = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class ReadSplits:
    """Of a file, or of one split of it; implements etl.gates.ReadFile. `forms` are those of the columns."""

    count: int
    unparsable_count: int
    drift: Drift
    null_counts: Mapping[str, int]
    forms: Mapping[str, Form]

    def __add__(self, other: "ReadSplits") -> "ReadSplits":
        return ReadSplits(
            self.count + other.count,
            self.unparsable_count + other.unparsable_count,
            self.drift,
            {name: count + other.null_counts[name] for name, count in self.null_counts.items()},
            {name: form | other.forms[name] for name, form in self.forms.items()},
        )


@dataclass(frozen=True, slots=True)
class _Kept:
    """Of one split: how many rows were judged, and which of them lack a value or failed an expectation."""

    rows: int
    incomplete: Failed
    failed: Failed


@dataclass(frozen=True, slots=True)
class _Blame:
    """Expectations that set rows aside, and of those about repeated rows, which these are by split."""

    names: Sequence[str]
    repeated: Mapping[int, Failed]

    def of(self, number: int, kept: _Kept) -> Failed:
        """In the order of etl.steps.gate.judge."""
        failed = {**kept.failed, **self.repeated.get(number, {})}
        return {**kept.incomplete} | {name: failed.get(name, _NO_ROWS) for name in self.names}


class SparkGate:
    """Implements etl.gates.Gate."""

    def __init__(self, batch: Batch, lake: Lake, split_bytes: int = SPLIT_BYTES):
        self._batch, self._lake = batch, lake
        self._split_bytes = max(split_bytes, -(-batch.size_bytes // _MOST_SPLITS))
        self._session = open_session()

    def read(self, contract: Contract) -> ReadSplits:
        whole = open_file(self._batch, self._lake, contract)
        with executors_errors():
            is_split = can_be_split(self._batch.key, contract.csv)
            self._read = self._read_all(self._split(whole) if is_split else whole)
        return self._read

    def validate(
        self, suite: Suite, contract: Contract, usual: Mapping[str, int | float | None]
    ) -> Validation:
        file, forms, day = self._file, self._read.forms, self._batch.batch_date

        def examine(number: int) -> Answer:
            rows = file.read(number).rows
            findings = examine_part(rows, forms, suite, day, usual)
            counts = {name: len(positions) for name, positions in findings.failed.items()}
            kept = _Kept(rows.num_rows, find_incomplete_rows(rows, contract), findings.failed)
            return (replace(findings, failed={}), counts), kept

        with executors_errors():
            examined = for_each(self._session, len(file), examine)
            self._examined = examined.persist(StorageLevel.MEMORY_AND_DISK)
            told = answers_of(self._examined)
            self._repeated = find_repeated(self._session, file, suite)
        counts: dict[str, int] = {}
        for _, of_part in told:
            for name, count in of_part.items():
                counts[name] = counts.get(name, 0) + count
        parts: list[PartFindings] = [findings for findings, _ in told]
        return judge_parts(parts, counts | self._repeated.counts, suite, contract, day, usual)

    def judge(self, validation: Validation, contract: Contract) -> Judgement:
        with executors_errors():
            return decide(
                validation.outcomes,
                rows_read=self._read.count,
                rows_unparsable=self._read.unparsable_count,
                count_rejected=self._count_rejected,
                max_quarantine_percent=contract.max_quarantine_percent,
            )

    def set_aside(
        self, judgement: Judgement, contract: Contract, run_id: str, suite: Suite, columns: tuple[Column, ...]
    ) -> pa.Table:
        """What passed is staged by the way, so that each split is read once for both."""
        batch, file, now, folder = self._batch, self._file, datetime.now(UTC), self._lake.staging_uri
        names = judgement.setting_aside
        blame = _Blame(names, self._repeated.positions(names))

        def settle(number: int, kept: _Kept) -> Answer:
            read = file.read(number)
            rejected = list_reasons(blame.of(number, kept))
            aside = collect_quarantine(read, rejected, batch, run_id, suite.fingerprint, now, columns)
            passed = keep_passed_rows(read.rows, rejected).select(contract.column_names)
            staged, name = to_staged_file(passed), f"{number:05d}.parquet"
            write_parquet(f"{folder}/{name}", staged)
            return (StagedPart(name, checksum(staged), passed.num_rows), aside), None

        with executors_errors():
            settled = answers_of(for_each_kept(self._examined, settle))
        self._parts = tuple(part for part, _ in settled)
        return pa.concat_tables([aside for _, aside in settled])

    def stage(self, judgement: Judgement, contract: Contract) -> Staged:
        self._examined.unpersist()
        return Staged(self._lake.staging_uri, checksum_of_parts(self._parts), self._parts)

    def _split(self, whole: SplitFile) -> SplitFile:
        """Where the splits begin depends on all quotes before them, so all bytes are looked at first."""
        batch, form = self._batch, whole.contract.csv
        starts = range(whole.body_start, batch.size_bytes, self._split_bytes)
        ranges = [(start, min(start + self._split_bytes, batch.size_bytes)) for start in starts]

        def scan(number: int) -> Answer:
            return scan_range(read_range(batch, *ranges[number]), form), None

        scans: list[RangeScan] = answers_of(for_each(self._session, len(ranges), scan)) if ranges else []
        splits = plan_splits(scans, whole.body_start, batch.size_bytes, self._split_bytes)
        return replace(whole, splits=splits)

    def _read_all(self, whole: SplitFile) -> ReadSplits:
        """Raises FileRejected."""
        if whole.splits is None:
            self._file = whole
            (read,) = self._read_pieces(whole)
            if isinstance(read, Refusal):
                raise read.error
            return read
        splits, read = read_joining(
            whole.splits, lambda splits: self._read_pieces(replace(whole, splits=splits))
        )
        self._file = replace(whole, splits=splits)
        return reduce(ReadSplits.__add__, read)

    def _read_pieces(self, file: SplitFile) -> list[ReadSplits | Refusal]:
        def read_one(number: int) -> Answer:
            try:
                read = file.read(number)
            except FileRejected as error:
                return Refusal.of(error), None
            forms = {name: form_of(read.rows[name]) for name in read.rows.column_names}
            return ReadSplits(read.count, read.unparsable_count, read.drift, read.null_counts, forms), None

        return answers_of(for_each(self._session, len(file), read_one))

    def _count_rejected(self, names: Sequence[str]) -> int:
        blame = _Blame(names, self._repeated.positions(names))

        def count(number: int, kept: _Kept) -> Answer:
            return count_rows(blame.of(number, kept).values(), kept.rows), None

        return sum(answers_of(for_each_kept(self._examined, count)))
