"""What an engine does for the gate, and the engine of one process."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import pyarrow as pa

from etl.aws.lake import Lake
from etl.batch import Batch
from etl.contract import Column, Contract
from etl.manifest import StagedPart
from etl.quality.suite import Suite
from etl.quality.validate import Validation, validate_rows
from etl.schema_drift import Drift
from etl.steps.gate import Judgement, judge_rows
from etl.steps.quarantine import collect_quarantine, keep_passed_rows
from etl.steps.read_csv import ReadRows, read_rows
from etl.steps.stage import checksum, to_staged_file


class ReadFile(Protocol):
    """What is told of a file that was read; `count` is of all rows."""

    @property
    def count(self) -> int: ...

    @property
    def unparsable_count(self) -> int: ...

    @property
    def drift(self) -> Drift: ...

    @property
    def null_counts(self) -> Mapping[str, int]: ...


@dataclass(frozen=True, slots=True)
class Staged:
    """What the gate hands over, in the words of etl.manifest.Manifest."""

    uri: str
    sha256: str
    parts: tuple[StagedPart, ...] = ()


class Gate(Protocol):
    """One batch's way through the gate; each step is called once, and after those before it."""

    def read(self, contract: Contract) -> ReadFile:
        """Raises FileRejected when the file as a whole is not what the contract says."""
        ...

    def validate(
        self, suite: Suite, contract: Contract, usual: Mapping[str, int | float | None]
    ) -> Validation: ...

    def judge(self, validation: Validation, contract: Contract) -> Judgement: ...

    def set_aside(
        self, judgement: Judgement, contract: Contract, run_id: str, suite: Suite, columns: tuple[Column, ...]
    ) -> pa.Table:
        """The rows for the quarantine table."""
        ...

    def stage(self, judgement: Judgement, contract: Contract) -> Staged:
        """Write the rows that passed to where the merge finds them."""
        ...


class OneProcessGate:
    """Implements Gate, with all rows in memory."""

    def __init__(self, batch: Batch, lake: Lake):
        self._batch, self._lake = batch, lake

    def read(self, contract: Contract) -> ReadRows:
        with closing(self._lake.open_batch(self._batch)) as stream:
            self._read = read_rows(stream, self._batch.key, contract)
        return self._read

    def validate(
        self, suite: Suite, contract: Contract, usual: Mapping[str, int | float | None]
    ) -> Validation:
        return validate_rows(self._read.rows, suite, contract, self._batch.batch_date, usual)

    def judge(self, validation: Validation, contract: Contract) -> Judgement:
        return judge_rows(validation.outcomes, self._read, contract)

    def set_aside(
        self, judgement: Judgement, contract: Contract, run_id: str, suite: Suite, columns: tuple[Column, ...]
    ) -> pa.Table:
        now, rejected = datetime.now(UTC), judgement.rejected
        return collect_quarantine(self._read, rejected, self._batch, run_id, suite.fingerprint, now, columns)

    def passed(self, judgement: Judgement, contract: Contract) -> pa.Table:
        return keep_passed_rows(self._read.rows, judgement.rejected).select(contract.column_names)

    def stage(self, judgement: Judgement, contract: Contract) -> Staged:
        staged = to_staged_file(self.passed(judgement, contract))
        return Staged(self._lake.stage(staged), checksum(staged))
