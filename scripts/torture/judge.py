"""What must hold after a run was interrupted and taken up again; each finding is a sentence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pyiceberg.manifest import read_manifest_list

from etl import errors
from etl.alert import Alert
from etl.errors import LakegateError
from etl.steps.stage import checksum
from etl.tables.iceberg_ledger import read_ledger
from scripts.torture.feed import names
from scripts.torture.world import World

# A row differs between runs in these alone.
_OF_THE_RUN = {"_run_id", "_ingested_at", "run_id", "quarantined_at"}
_OF_THE_REPORT = {"run_id", "finished_at", "seconds", "docs_key", "snapshot_id", "attempts", "staged_uri"}
_WAITING, _TOLD = "operations/alerts/waiting/", "operations/alerts/told/"
_CONFIRMED = "confirmed/employee/"  # one a batch, named by it: written again, not beside
# Arrow puts an empty object in place of a folder from which it deleted something.
_SWEPT = re.compile(r"warehouse/employee/(data/([^/]+\.parquet)?|metadata/([^/]+\.(avro|metadata\.json))?)")

Rows = frozenset[tuple[tuple[tuple[str, Any], ...], int]]


def rows_of(world: World, zone: str) -> Rows:
    """The table's rows with how often each is in it; without what is null, so new columns change nothing."""
    rows = world.table(zone).scan().to_arrow().to_pylist()
    return frozenset(Counter(_comparable(row) for row in rows).items())


def _comparable(row: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    told = ((name, value) for name, value in sorted(row.items()) if name not in _OF_THE_RUN)
    return tuple((name, tuple(v) if isinstance(v, list) else v) for name, v in told if v is not None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an uninterrupted run leaves; `rows` are the contents that are right (races have several)."""

    rows: frozenset[Rows]
    quarantined: Rows
    gate: dict[str, Any]
    manifest: dict[str, Any] | None
    merge: dict[str, Any] | None
    history: Any
    mails: tuple[str, ...]


def outcome(world: World, run: str) -> Outcome:
    return Outcome(
        rows=frozenset({rows_of(world, "processed")}),
        quarantined=rows_of(world, "quarantine"),
        gate=_report(world, run, "gate"),
        manifest=_report(world, run, "manifest") if run != "refused" else None,
        merge=_report(world, run, "merge") if run != "refused" else None,
        history=world.read_json("runs/employee/history.json"),
        mails=tuple(_subjects(world)),
    )


def judge_tables(world: World, expected: Outcome) -> Iterator[str]:
    if rows_of(world, "processed") not in expected.rows:
        yield "the table differs from that of an uninterrupted run"
    yield from judge_quarantine(world, expected)


def judge_quarantine(world: World, expected: Outcome) -> Iterator[str]:
    if rows_of(world, "quarantine") != expected.quarantined:
        yield "the quarantine differs from that of an uninterrupted run"


def judge_gate(
    world: World, expected: Outcome, run: str, gates: int, repeats: int = 0, *, told_before: bool = False
) -> Iterator[str]:
    """The run's gate has judged; of the batch so many gates were begun since the last restore.

    `repeats` is how often an alert went out whose sender did not hear so, and sent it again. `told_before` is
    whether a gate before the restore told the same, which some alerts then do not.
    """
    report = _report(world, run, "gate")
    if report != expected.gate:
        yield f"the gate's report differs: {_difference(report, expected.gate)}"
    if world.read_json("runs/employee/history.json") != expected.history:
        yield "the history of batches differs"
    told = Counter(_subjects(world))
    least = 0 if told_before else min(1, gates)
    if any(not least <= told[subject] <= gates + repeats for subject in expected.mails):
        yield f"an alert came {[told[subject] for subject in expected.mails]} times in {gates} gates"
    if told.keys() - set(expected.mails):
        yield "an alert came that an uninterrupted run does not give"
    listed = [entry["run_id"] for entry in world.read_json("data-docs/index.json")]
    if len(set(listed)) != len(listed) or world.runs[run] not in listed:
        yield "the Data Docs do not list each run once"
    if expected.manifest is None:
        if _key(world, run, "manifest") in world.listed("docs"):
            yield "a batch that was refused has a manifest"
        return
    if (manifest := _report(world, run, "manifest")) != expected.manifest:
        yield f"the manifest differs: {_difference(manifest, expected.manifest)}"
    staged = world.read("processed", f"staging/employee/{world.runs[run]}/batch.parquet")
    if checksum(staged) != manifest["staged_sha256"]:
        yield "the staged file is not the one that the manifest names"


def judge_merge(world: World, expected: Outcome, run: str) -> Iterator[str]:
    report = _report(world, run, "merge")
    counts = report["counts"]
    if counts["read"] != sum(value for name, value in counts.items() if name != "read"):
        yield f"the merge's report does not account for every row: {counts}"
    if run == "nightly" and report != expected.merge:
        yield f"the merge's report differs: {_difference(report, expected.merge)}"
    batch_ids = [batch_id for batch_id, _, _ in read_ledger(world.table("processed").metadata)]
    if batch_ids.count(report["batch_id"]) != 1:
        yield f"the ledger names the batch {batch_ids.count(report['batch_id'])} times"


def judge_left_overs(world: World, runs: set[str], may_have_orphans: bool) -> Iterator[str]:
    """Every file is one that a table needs, an orphan at a place that maintenance sweeps, or staged."""
    named = {f"staging/employee/{world.runs[run]}/batch.parquet" for run in ("first", *runs)}
    for zone in ("processed", "quarantine"):
        prefix = f"s3://{world.bucket(zone)}/"
        needed = {uri.removeprefix(prefix) for uri in _needed(world.table(zone))}
        there = set(world.listed(zone))
        if missing := needed - there:
            yield f"{len(missing)} files that the {zone} table needs are gone"
        spare = there - needed - named
        spare -= {key for key in spare if key.startswith(_CONFIRMED)}
        if strange := sorted(key for key in spare if not _SWEPT.fullmatch(key)):
            yield f"files lie where nobody sweeps: {strange}"
        elif spare and not may_have_orphans:
            yield f"{len(spare)} orphans, though nothing was interrupted: {sorted(spare)[:3]}"
    known = {world.runs[run] for run in ("first", *runs)}
    for key in world.listed("docs"):
        if (found := re.match(r"runs/employee/(wr_[0-9a-f]+)/", key)) and found[1] not in known:
            yield f"{key} is of no run"


def judge_failure(message: str, log: str) -> Iterator[str]:
    """A run that cannot go on says so by an error that a retry can help, and names nobody."""
    name = message.partition(":")[0]
    kind = getattr(errors, name, None)
    if not (isinstance(kind, type) and issubclass(kind, LakegateError) and kind.retryable):
        yield f"it failed with what no retry is made for: {message[:200]}"
    words = set(re.findall(r"[\w'’-]+", f"{message}\n{log}"))
    if leaked := words & {name for name in names() if len(name) > 5}:
        yield f"its message or log holds {len(leaked)} names of people"


def _needed(table: Any) -> Iterator[str]:
    """Every file that some snapshot or the log of the table's metadata names."""
    yield table.metadata_location
    yield from (entry.metadata_file for entry in table.metadata.metadata_log)
    for snapshot in table.snapshots():
        yield snapshot.manifest_list
        yield from _named_by(snapshot.manifest_list, table.io)


_known: dict[str, tuple[str, ...]] = {}


def _named_by(manifest_list: str, io: Any) -> tuple[str, ...]:
    """The manifests and data files of a snapshot; its files are written once and never changed."""
    if manifest_list not in _known:
        manifests = list(read_manifest_list(io.new_input(manifest_list)))
        entries = (e for m in manifests for e in m.fetch_manifest_entry(io, discard_deleted=True))
        _known[manifest_list] = (
            *(m.manifest_path for m in manifests),
            *(e.data_file.file_path for e in entries),
        )
    return _known[manifest_list]


def _subjects(world: World) -> Iterator[str]:
    """Of the mails, and of those that the next sweep sends."""
    for mail in world.mails():
        yield next(line for line in mail.splitlines() if line.startswith("Subject: "))
    keys = world.listed("docs").keys()
    for key in sorted(key for key in keys if key.startswith(_WAITING)):
        if key.replace(_WAITING, _TOLD) not in keys:
            yield f"Subject: {Alert.from_json(world.read('docs', key)).subject}"


def _key(world: World, run: str, part: str) -> str:
    return f"runs/employee/{world.runs[run]}/{part}.json"


def _report(world: World, run: str, part: str) -> dict[str, Any]:
    report = world.read_json(_key(world, run, part))
    return {name: value for name, value in report.items() if name not in _OF_THE_REPORT}


def _difference(one: dict[str, Any], other: dict[str, Any]) -> str:
    names = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
    return "; ".join(f"{name} is {one.get(name)!r}, not {other.get(name)!r}" for name in names)[:400]
