"""The manifest: the only thing that names rows to merge, believed only if it is a whole pass."""

import json
from dataclasses import replace
from typing import Any

import pytest
from builders import a_batch, a_manifest, some_employees, the_employee_contract

from etl.errors import ManifestInvalid
from etl.manifest import Manifest, StagedPart, checksum_of_parts, parse_manifest
from etl.run_report import Verdict
from etl.steps.stage import checksum, from_staged_file, to_staged_file

CONTRACT = the_employee_contract()


def parsed(text: str) -> Manifest:
    return parse_manifest(text, "s3://docs/manifest.json", a_batch().batch_id)


def changed(**fields: Any) -> str:
    return json.dumps(json.loads(a_manifest().to_json()) | fields)


def in_parts(*parts: StagedPart, **changes: Any) -> Manifest:
    parts = parts or (StagedPart("0.parquet", "1" * 64, 4), StagedPart("1.parquet", "2" * 64, 3))
    return a_manifest(**{"staged_parts": parts, "staged_sha256": checksum_of_parts(parts)} | changes)


def test_manifest_round_trips():
    """What the gate writes is what the merge reads."""
    for manifest in (a_manifest(), a_manifest(new_columns=("city", "desk")), in_parts()):
        assert parsed(manifest.to_json()) == manifest


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not a manifest"),
        ("null", "not a manifest"),
        ("[]", "not a manifest"),
        ("{}", "not a manifest"),
        (changed(surprise=1), "not a manifest"),
        (changed(verdict="fine"), "not a manifest"),
        (changed(rows_passed="7"), "not a manifest"),
        (changed(batch_id="employee-2026-11-25-0"), "is for batch employee-2026-11-25-0"),
        (changed(verdict=Verdict.REJECTED), "only passed batches are merged"),
        (changed(verdict=Verdict.ERROR), "only passed batches are merged"),
        (changed(rows_passed=8), "10 rows read but 11 accounted for"),
        (changed(rows_unparsable=0), "10 rows read but 9 accounted for"),
        (in_parts(staged_sha256="0" * 64).to_json(), "its checksum is not that of its parts"),
        (in_parts(StagedPart("a", "1" * 64, 6)).to_json(), "do not have the 7 rows that passed"),
        (changed(staged_parts=[{"name": "a"}]), "not a manifest"),
    ],
)
def test_a_manifest_that_is_no_pass_of_this_batch(text: str, problem: str):
    """Anything but a pass of this very batch, with counts that add up, is refused for good."""
    with pytest.raises(ManifestInvalid, match=problem) as caught:
        parsed(text)

    assert not caught.value.retryable


def test_staged_rows_come_back_as_they_were():
    """The staged file keeps values and types."""
    rows = some_employees(("Zoë", "Núñez", 30, 50_000), ("Ann", "O'Brien", 41, 60_000))
    staged = to_staged_file(rows)
    manifest = a_manifest(staged_sha256=checksum(staged), rows_passed=2)

    assert from_staged_file(staged, manifest, CONTRACT) == rows


def test_the_files_of_a_staged_folder_are_each_like_a_staged_file():
    """Whoever can check one staged file can check each of several, in their order."""
    files = [(f.staged_uri, f.staged_sha256, f.rows_passed) for f in in_parts().files]
    folder = a_manifest().staged_uri

    assert files == [(f"{folder}/0.parquet", "1" * 64, 4), (f"{folder}/1.parquet", "2" * 64, 3)]
    assert a_manifest().files == (a_manifest(),)


def test_other_bytes_than_the_gate_wrote():
    """A staged file with another checksum, or another number of rows, is not merged."""
    staged = to_staged_file(some_employees(("Zoë", "Núñez", 30, 50_000)))
    manifest = a_manifest(staged_sha256=checksum(staged), rows_passed=1)

    with pytest.raises(ManifestInvalid, match="not the one the gate wrote"):
        from_staged_file(to_staged_file(some_employees(("Zoë", "Núñez", 30, 50_001))), manifest, CONTRACT)
    with pytest.raises(ManifestInvalid, match="1 rows, not 2"):
        from_staged_file(staged, replace(manifest, rows_passed=2), CONTRACT)


def test_a_contract_that_changed_meanwhile():
    """Rows that were read by another contract are not merged by this one: nothing is cast or left out."""
    rows = some_employees(("Zoë", "Núñez", 30, 50_000))
    staged = to_staged_file(rows)
    manifest = a_manifest(staged_sha256=checksum(staged), rows_passed=1)
    fewer = replace(CONTRACT, columns=CONTRACT.columns[:-1])
    retyped = [replace(c, type="double") if c.name == "salary" else c for c in CONTRACT.columns]

    for contract in (fewer, replace(CONTRACT, columns=tuple(retyped)), CONTRACT.with_new_columns(["city"])):
        with pytest.raises(ManifestInvalid, match="the contract changed since the gate read the file"):
            from_staged_file(staged, manifest, contract)


def test_rows_without_a_whole_key():
    """Staged rows with a null in the key are refused: the gate passes none, and they would match nothing."""
    rows = some_employees(("Zoë", "Núñez", 30, 50_000), (None, "O'Brien", 41, 60_000))
    staged = to_staged_file(rows)
    manifest = a_manifest(staged_sha256=checksum(staged), rows_passed=2)

    with pytest.raises(ManifestInvalid, match="rows without a value in key column first_name"):
        from_staged_file(staged, manifest, CONTRACT)
