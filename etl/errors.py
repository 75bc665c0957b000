"""Every error of Lakegate, in one tree.

Each class says whether a retry can help (`retryable`) and with which code a process ends on it (`exit_code`).
Messages name batches, lines and columns, never a value of a row nor the file's name, which the sender chose:
they end up in logs, alerts and job states.
All facts are positional arguments of the base class, so that errors survive pickling.
"""

from typing import ClassVar


class LakegateError(Exception):
    retryable: ClassVar[bool] = False
    exit_code: ClassVar[int] = 1


class ArgumentsInvalid(LakegateError):
    """The caller's arguments cannot be used; nothing was done."""

    exit_code = 2

    def __init__(self, problem: str):
        super().__init__(problem)


class ContractInvalid(LakegateError):
    exit_code = 2

    def __init__(self, source: str, problems: tuple[str, ...]):
        super().__init__(source, problems)
        self.source, self.problems = source, problems

    def __str__(self) -> str:
        return f"contract {self.source} cannot be used: " + "; ".join(self.problems)


class SuiteInvalid(LakegateError):
    exit_code = 2

    def __init__(self, source: str, problems: tuple[str, ...]):
        super().__init__(source, problems)
        self.source, self.problems = source, problems

    def __str__(self) -> str:
        return f"suite {self.source} cannot be used: " + "; ".join(self.problems)


class RawKeyInvalid(LakegateError):
    """An object of the raw zone whose key does not say which dataset and date it is for.

    The message does not show the key, for it may name people.
    """

    exit_code = 2

    def __init__(self, key: str, problem: str):
        super().__init__(key, problem)
        self.key, self.problem = key, problem

    def __str__(self) -> str:
        return f"{self.problem}; expected <dataset>/dt=YYYY-MM-DD/<file>.csv"


class FileRejected(LakegateError):
    """The file as a whole cannot be read as its contract says; none of its rows are used.

    The message does not show the key, for it may name people; whoever tells it says which batch it is about.
    """

    exit_code = 3

    def __init__(self, key: str, problem: str):
        super().__init__(key, problem)
        self.key, self.problem = key, problem

    def __str__(self) -> str:
        return self.problem


class GateRejected(LakegateError):
    """The batch was judged and may not enter the table."""

    exit_code = 3

    def __init__(self, batch_id: str, reason: str):
        super().__init__(batch_id, reason)
        self.batch_id, self.reason = batch_id, reason

    def __str__(self) -> str:
        return f"batch {self.batch_id} was rejected: {self.reason}"


class GateBroken(LakegateError):
    """The check itself failed, so nothing is known about the rows; nothing was written."""

    exit_code = 4

    def __init__(self, batch_id: str, problems: tuple[str, ...]):
        super().__init__(batch_id, problems)
        self.batch_id, self.problems = batch_id, problems

    def __str__(self) -> str:
        return f"the gate could not judge batch {self.batch_id}: " + "; ".join(self.problems)


class ManifestInvalid(LakegateError):
    """What the gate handed over is missing, altered, or not a pass."""

    exit_code = 4

    def __init__(self, uri: str, problem: str):
        super().__init__(uri, problem)
        self.uri, self.problem = uri, problem

    def __str__(self) -> str:
        return f"manifest {self.uri}: {self.problem}"


class HistoryInvalid(LakegateError):
    """The counts of earlier batches cannot be read, so that nothing can be compared with them."""

    exit_code = 4

    def __init__(self, uri: str, problem: str):
        super().__init__(uri, problem)
        self.uri, self.problem = uri, problem

    def __str__(self) -> str:
        return f"{self.uri}: {self.problem}; delete it to begin a new one"


class ObjectMissing(LakegateError):
    exit_code = 2

    def __init__(self, uri: str):
        super().__init__(uri)
        self.uri = uri

    def __str__(self) -> str:
        return f"{self.uri} does not exist"


class KeyNotUnique(LakegateError):
    """Two rows with one key where there can be one only; a defect of the merge, never of the data."""

    exit_code = 4

    def __init__(self, where: str, count: int):
        super().__init__(where, count)
        self.where, self.count = where, count

    def __str__(self) -> str:
        return f"{self.count} keys stand more than once in {self.where}"


class RowsNotConserved(LakegateError):
    """Rows in and rows out differ; a defect of Lakegate, never of the data."""

    exit_code = 4

    def __init__(self, batch_id: str, read: int, accounted: int):
        super().__init__(batch_id, read, accounted)
        self.batch_id, self.read, self.accounted = batch_id, read, accounted

    def __str__(self) -> str:
        return f"batch {self.batch_id}: {self.read} rows were read but {self.accounted} are accounted for"


class CommitConflict(LakegateError):
    """Another writer committed first; the merge has to be planned again on the new snapshot."""

    retryable = True

    def __init__(self, table: str):
        super().__init__(table)
        self.table = table

    def __str__(self) -> str:
        return f"another writer committed to {self.table} first"


class CommitStateUnknown(LakegateError):
    """The catalog did not answer; the commit may have happened, so the table must be read again first."""

    retryable = True

    def __init__(self, table: str, cause: str):
        super().__init__(table, cause)
        self.table, self.cause = table, cause

    def __str__(self) -> str:
        return f"it is unknown whether the commit to {self.table} happened ({self.cause})"


class MaintenanceUnsound(LakegateError):
    """A table is not what its maintenance can safely change; the step that found it did nothing."""

    exit_code = 4

    def __init__(self, table: str, problem: str):
        super().__init__(table, problem)
        self.table, self.problem = table, problem

    def __str__(self) -> str:
        return f"{self.table} is left as it is: {self.problem}"


class FilesNotRemoved(LakegateError):
    """S3 refused to delete some files that no table names; the next maintenance finds them again."""

    retryable = True

    def __init__(self, bucket: str, count: int, code: str):
        super().__init__(bucket, count, code)
        self.bucket, self.count, self.code = bucket, count, code

    def __str__(self) -> str:
        return f"{self.count} files that no table names could not be deleted from {self.bucket} ({self.code})"


class RunFailed(LakegateError):
    """Something outside Lakegate's own errors went wrong; its message is left out, for it may quote a row."""

    retryable = True

    def __init__(self, step: str, cause: str):
        super().__init__(step, cause)
        self.step, self.cause = step, cause

    def __str__(self) -> str:
        return f"the {self.step} step failed: {self.cause}"
