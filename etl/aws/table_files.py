"""The objects below an Iceberg table's location, in S3."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from etl.aws.clients import client
from etl.aws.object_store import parse_s3_uri
from etl.errors import FilesNotRemoved
from etl.tables.maintenance import StoredFile

_MOST_PER_REQUEST = 1000  # S3's limit of DeleteObjects


class S3TableFiles:
    """Implements etl.tables.maintenance.TableFiles."""

    def list(self, location: str) -> Iterator[StoredFile]:
        bucket, key = parse_s3_uri(location)
        prefix = key.rstrip("/") + "/"  # `employee` must not find what belongs to `employee_history`
        for page in client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for found in page.get("Contents", []):
                yield StoredFile(f"s3://{bucket}/{found['Key']}", found["Size"], found["LastModified"])

    def delete(self, files: Sequence[StoredFile]) -> None:
        """Raises FilesNotRemoved when S3 refused some; these and what came after them stay."""
        for bucket, group in groupby(sorted(parse_s3_uri(f.uri) for f in files), key=lambda place: place[0]):
            keys = [{"Key": key} for _, key in group]
            for start in range(0, len(keys), _MOST_PER_REQUEST):
                objects = keys[start : start + _MOST_PER_REQUEST]
                answer = client("s3").delete_objects(
                    Bucket=bucket, Delete={"Objects": objects, "Quiet": True}
                )
                if refused := answer.get("Errors"):
                    raise FilesNotRemoved(bucket, len(refused), refused[0].get("Code", ""))
