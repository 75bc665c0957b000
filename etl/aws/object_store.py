"""Objects of the zones, in S3."""

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, BinaryIO

from botocore.exceptions import ClientError

from etl.aws.clients import client
from etl.batch import Batch
from etl.errors import FileRejected, ObjectMissing

# S3's answers to a conditional write of an object that another writer changed or removed.
_CHANGED_MEANWHILE = {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"}


def open_batch(batch: Batch) -> BinaryIO:
    """The file of the batch, in the very version that landed, as a stream; to be closed by who reads it.

    It is one request: what is not read yet is not fetched, and an end that comes too early raises.

    Raises ObjectMissing, and FileRejected when S3's checksum is not the one the batch was announced with.
    """
    return _open(batch)


def open_range(batch: Batch, start: int, end: int) -> BinaryIO:
    """As open_batch, the bytes from `start` up to `end` alone, of which there has to be one."""
    return _open(batch, Range=f"bytes={start}-{end - 1}")


def _open(batch: Batch, **part: str) -> BinaryIO:
    try:
        answer = _get(batch.bucket, batch.key, VersionId=batch.version_id, **part)
    except ObjectMissing:
        raise ObjectMissing(f"version {batch.version_id} in {batch.folder_uri}") from None
    if answer["ETag"].strip('"') != batch.etag:
        raise FileRejected(batch.key, f"version {batch.version_id} is not the object that was announced")
    return answer["Body"]


def find_key(bucket: str, folder: str, version_id: str) -> str:
    """The key of the object version, which lies in the folder (`employee/dt=2026-11-24/`).

    Raises ObjectMissing.
    """
    pages = client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=folder)
    for page in pages:
        for version in page.get("Versions", ()):
            if version["VersionId"] == version_id:
                return version["Key"]
    raise ObjectMissing(f"version {version_id} in s3://{bucket}/{folder}")


def read_object(bucket: str, key: str) -> bytes:
    """Raises ObjectMissing."""
    return _get(bucket, key)["Body"].read()


def find_json(bucket: str, key: str) -> Any:
    """The JSON document, or None if there is none."""
    return _read_json(bucket, key)[0]


def write_object(bucket: str, key: str, body: bytes, content_type: str) -> str:
    """Write and return the object's URI; encryption is the bucket's default."""
    client("s3").put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type)
    return f"s3://{bucket}/{key}"


def write_parquet(uri: str, body: bytes) -> str:
    return write_object(*parse_s3_uri(uri), body, "application/vnd.apache.parquet")


def has_object(bucket: str, key: str) -> bool:
    try:
        client("s3").head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] != "404":  # a HEAD has no body that could say more
            raise
        return False
    return True


def list_keys(bucket: str, prefix: str, after: str = "") -> Iterator[str]:
    """The keys with the prefix that come after `after`, in their order."""
    return (key for key, _ in list_objects(bucket, prefix, after))


def list_objects(bucket: str, prefix: str, after: str = "") -> Iterator[tuple[str, datetime]]:
    """Key and time of the last write of each object with the prefix, in the order of their keys.

    Of those alone whose keys come after `after`, if that is given.
    """
    begin = {"StartAfter": after} if after else {}
    pages = client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, **begin)
    return ((entry["Key"], entry["LastModified"]) for page in pages for entry in page.get("Contents", ()))


def put_if_absent(bucket: str, key: str, document: str) -> bool:
    """Whether S3 took the document, which it does if there is none of that key."""
    return _put_if(bucket, key, document.encode(), {"IfNoneMatch": "*"})


def list_versions(bucket: str, prefix: str, after: str = "") -> list[dict[str, Any]]:
    """The latest version of every object, in the words of etl.batch.Batch, oldest first.

    Of those alone whose keys come after `after`, if that is given.
    """
    begin = {"KeyMarker": after} if after else {}
    return [version for version, is_latest in _versions(bucket, prefix, **begin) if is_latest]


def list_all_versions(bucket: str, prefix: str) -> list[dict[str, Any]]:
    """As list_versions, also those that a newer one has replaced."""
    return [version for version, _ in _versions(bucket, prefix)]


def _versions(bucket: str, prefix: str, **begin: str) -> list[tuple[dict[str, Any], bool]]:
    """Each with whether it is the latest of its object."""
    pages = client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix, **begin)
    found = [version for page in pages for version in page.get("Versions", [])]
    return [
        (
            {
                "key": version["Key"],
                "version_id": version["VersionId"],
                "etag": version["ETag"].strip('"'),
                "size_bytes": version["Size"],
                "landed_at": version["LastModified"],
            },
            version["IsLatest"],
        )
        for version in sorted(found, key=lambda version: version["LastModified"])
    ]


def update_json(
    bucket: str, key: str, change: Callable[[Any], Any], show: Callable[[Any], None] = lambda _: None
) -> None:
    """Replace a JSON document by `change(document or None)`, after `show` has written what is made from it.

    S3 takes the write only if the document is still the one that was read; else it is read, changed and shown
    again. So concurrent writers lose no update, and when all have ended, what was shown last is made from the
    last document: whoever showed an older one meanwhile found its own write refused. A document that already
    is as it should be is neither shown nor written.
    """
    refused = False
    while True:
        document, condition = _read_json(bucket, key)
        changed = change(document)
        if changed == document and not refused:
            return
        # Also when another writer has made the same change: ours may have hidden what that one showed.
        show(changed)
        if _put_if(bucket, key, json.dumps(changed).encode(), condition):
            return
        refused = True
        time.sleep(random.uniform(0, 0.2))


def _read_json(bucket: str, key: str) -> tuple[Any, dict[str, str]]:
    """The document, None if there is none, and on what condition a write replaces just this one."""
    try:
        answer = _get(bucket, key)
    except ObjectMissing:
        return None, {"IfNoneMatch": "*"}
    return json.loads(answer["Body"].read()), {"IfMatch": answer["ETag"]}


def _put_if(bucket: str, key: str, body: bytes, condition: Mapping[str, str]) -> bool:
    """Whether S3 took the write of a JSON document."""
    try:
        client("s3").put_object(
            Bucket=bucket, Key=key, Body=body, ContentType="application/json", **condition
        )
    except ClientError as error:
        if error.response["Error"]["Code"] not in _CHANGED_MEANWHILE:
            raise
        return False
    return True


def parse_s3_uri(uri: str) -> tuple[str, str]:
    """`s3://bucket/some/key` → (bucket, some/key)."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def _get(bucket: str, key: str, **version: str) -> Any:
    try:
        return client("s3").get_object(Bucket=bucket, Key=key, **version)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"NoSuchKey", "NoSuchVersion"}:
            raise ObjectMissing(f"s3://{bucket}/{key}") from error
        raise
