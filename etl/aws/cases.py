"""The cases of failed runs, and what a run of the workflow makes of them."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from etl.aws.object_store import find_json, list_all_versions, list_keys, update_json
from etl.batch import Batch
from etl.operations.case import Case, case_folder, case_key


def read_case(docs_bucket: str, key: str) -> Case | None:
    document = find_json(docs_bucket, key)
    return Case.from_document(document) if document else None


def change_case(docs_bucket: str, begun: Case, change: Callable[[Case], Case]) -> Case:
    """Replace the case by `change` of it, or of `begun` if there is none yet, and return what it is now.

    `change` is asked again when another writer was first.
    """
    key = case_key(begun.dataset, begun.batch_date, begun.version_id)
    now = begun

    def changed(document: Mapping[str, Any] | None) -> dict[str, Any]:
        nonlocal now
        now = change(Case.from_document(document) if document else begun)
        return now.to_document()

    update_json(docs_bucket, key, changed)
    return now


def cases_settled_by(docs_bucket: str, batch: Batch) -> list[Case]:
    """The open cases that end with the batch: of its file, in this version or an older one."""
    keys = list_keys(docs_bucket, case_folder(batch.dataset, str(batch.batch_date)))
    cases = [case for key in keys if (case := read_case(docs_bucket, key)) and case.is_open]
    if not cases:
        return []
    versions = {batch.version_id} | _versions_of_file(batch)
    return [
        case
        for case in cases
        if case.version_id in versions and datetime.fromisoformat(case.landed_at) <= batch.landed_at
    ]


def _versions_of_file(batch: Batch) -> set[str]:
    versions = list_all_versions(batch.bucket, batch.key)
    return {version["version_id"] for version in versions if version["key"] == batch.key}
