"""What a run of the maintenance tells, as it is written to the docs zone. Counts alone: no value of a row."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TableState:
    data_files: int
    small_files: int
    data_bytes: int
    rows: int
    snapshots: int


@dataclass(frozen=True, slots=True)
class TableMaintained:
    """`gave_way` says that writers came first each time, and files stay to be joined by a later run."""

    table: str
    before: TableState
    after: TableState
    rows_deleted: int
    files_joined: int
    files_written: int
    compactions: int
    gave_way: bool
    snapshots_expired: int
    orphans_removed: int
    bytes_freed: int


@dataclass(frozen=True, slots=True)
class MaintenanceReport:
    dataset: str
    run_id: str
    tables: tuple[TableMaintained, ...]
    finished_at: str
    seconds: dict[str, float] = field(default_factory=dict)
