"""What the gate hands to the merge, and the only thing that names rows to merge."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Self

from etl.errors import ManifestInvalid
from etl.run_report import Verdict


@dataclass(frozen=True, slots=True)
class StagedPart:
    """One Parquet file of a staged folder; `sha256` is of its bytes."""

    name: str
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """`staged_sha256` is of the staged Parquet file's bytes; `rows_passed` of them are in it.

    Where `staged_parts` are given, `staged_uri` is the folder that they are in, their order is that of the
    rows in the batch's file, and `staged_sha256` is checksum_of_parts of them.
    `new_columns` are those of the columns that the contract does not declare, and lets in.
    `released_lines` were set aside by earlier runs and pass now: merged, they leave the quarantine.
    """

    dataset: str
    batch_id: str
    run_id: str
    folder_uri: str
    object_version: str
    object_etag: str
    suite_fingerprint: str
    verdict: Verdict
    staged_uri: str
    staged_sha256: str
    rows_read: int
    rows_passed: int
    rows_quarantined: int
    rows_unparsable: int
    new_columns: tuple[str, ...] = ()
    staged_parts: tuple[StagedPart, ...] = ()
    released_lines: tuple[int, ...] = ()

    @property
    def files(self) -> tuple[Self, ...]:
        """A manifest for each staged file, in the order of the rows."""
        if not self.staged_parts:
            return (self,)
        return tuple(
            replace(
                self,
                staged_uri=f"{self.staged_uri}/{part.name}",
                staged_sha256=part.sha256,
                rows_passed=part.rows,
                staged_parts=(),
            )
            for part in self.staged_parts
        )

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2)


def parse_manifest(text: str, uri: str, batch_id: str) -> Manifest:
    """Raises ManifestInvalid unless it is a pass of this very batch whose counts add up."""
    try:
        fields = json.loads(text)
        parsed = {
            "verdict": Verdict(fields["verdict"]),
            "new_columns": tuple(fields.get("new_columns", ())),
            "released_lines": tuple(fields.get("released_lines", ())),
            "staged_parts": tuple(StagedPart(**part) for part in fields.get("staged_parts", ())),
        }
        manifest = Manifest(**fields | parsed)
        rows_out = sum((manifest.rows_passed, manifest.rows_quarantined, manifest.rows_unparsable))
    except (ValueError, TypeError, KeyError) as error:
        raise ManifestInvalid(uri, f"not a manifest ({error})") from error
    if manifest.batch_id != batch_id:
        raise ManifestInvalid(uri, f"is for batch {manifest.batch_id}, not for {batch_id}")
    if not manifest.verdict.lets_rows_pass:
        raise ManifestInvalid(uri, f"its verdict is {manifest.verdict}; only passed batches are merged")
    if rows_out != manifest.rows_read:
        raise ManifestInvalid(uri, f"{manifest.rows_read} rows read but {rows_out} accounted for")
    if manifest.staged_parts:
        if checksum_of_parts(manifest.staged_parts) != manifest.staged_sha256:
            raise ManifestInvalid(uri, "its checksum is not that of its parts")
        if sum(part.rows for part in manifest.staged_parts) != manifest.rows_passed:
            raise ManifestInvalid(uri, f"its parts do not have the {manifest.rows_passed} rows that passed")
    return manifest


def checksum_of_parts(parts: Iterable[StagedPart]) -> str:
    """The SHA-256 of a line `<sha256> <rows> <name>` for each part, in their order."""
    lines = (f"{part.sha256} {part.rows} {part.name}\n" for part in parts)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
