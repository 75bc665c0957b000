"""What the gate hands to the merge, and the only thing that names rows to merge."""

import json
from dataclasses import asdict, dataclass

from etl.errors import ManifestInvalid
from etl.run_report import Verdict


@dataclass(frozen=True, slots=True)
class Manifest:
    """`staged_sha256` is of the staged Parquet file's bytes; `rows_passed` of them are in it.

    `new_columns` are those of its columns that the contract does not declare, and lets in.
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

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2)


def parse_manifest(text: str, uri: str, batch_id: str) -> Manifest:
    """Raises ManifestInvalid unless it is a pass of this very batch whose counts add up."""
    try:
        fields = json.loads(text)
        parsed = {"verdict": Verdict(fields["verdict"]), "new_columns": tuple(fields.get("new_columns", ()))}
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
    return manifest
