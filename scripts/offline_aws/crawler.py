"""Glue's crawler, for CSV in S3: it makes and updates the table of a folder, and its partitions.

Names and columns follow the crawler's documentation: the table is named after the target's last folder,
`key=value` folders become partition keys (others partition_0, partition_1, …), column names are lower
case, and files that differ are combined: every column that any of them has, in the wider type.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from typing import Any, Literal

from moto.core.utils import utcnow
from moto.glue.exceptions import CrawlerRunningException
from moto.glue.models import FakeCrawl, FakeCrawler, FakeTable, GlueBackend, glue_backends
from moto.s3.exceptions import MissingBucket
from moto.s3.models import FakeKey, s3_backends
from moto.utilities.utils import get_partition

from scripts.offline_aws import lake_formation
from scripts.offline_aws.crawler_csv import Columns, combine, read_columns
from scripts.offline_aws.crawler_events import put_crawler_event
from scripts.offline_aws.execution import RoleNotAssumable, assume_service_role
from scripts.offline_aws.state import ServerState

State = Literal["SUCCEEDED", "FAILED", "CANCELLED"]

CRAWL_STATUS: dict[State, str] = {"SUCCEEDED": "COMPLETED", "FAILED": "FAILED", "CANCELLED": "STOPPED"}
"""ListCrawls has other words than LastCrawl for the same ends."""

_start = threading.Lock()
_state: ServerState | None = None


class CrawlFailed(Exception):
    """Why a crawl could not be finished, in the words of LastCrawl.ErrorMessage."""


def install(state: ServerState) -> None:
    global _state
    _state = state
    as_dict = FakeCrawler.as_dict

    def start_crawler(self: GlueBackend, name: str) -> None:
        crawler = self.get_crawler(name)
        crawl = _begin(crawler)
        threading.Thread(
            target=_crawl, args=(self, crawler, crawl), name=f"crawler {name}", daemon=True
        ).start()

    def as_dict_with_last_crawl(self: FakeCrawler) -> dict[str, Any]:
        return {**as_dict(self), "LastCrawl": _last_crawl(self)}

    GlueBackend.start_crawler = start_crawler
    FakeCrawler.as_dict = as_dict_with_last_crawl


def run_crawler(account_id: str, region: str, name: str) -> State:
    """Crawl in the caller's thread.

    Raises moto's CrawlerNotFoundException and CrawlerRunningException, as StartCrawler would.
    """
    backend = glue_backends[account_id][region]
    crawler = backend.get_crawler(name)
    return _crawl(backend, crawler, _begin(crawler))


def _begin(crawler: FakeCrawler) -> FakeCrawl:
    with _start:
        if crawler.status != "READY":
            raise CrawlerRunningException(f"Crawler with name {crawler.name} has already started")
        crawl = FakeCrawl(crawler.name)
        crawl._transitions = []  # it ends when it has ended, not when it has been looked at
        crawl.error_message = None
        crawler.crawls.append(crawl)
        return crawl


def _crawl(backend: GlueBackend, crawler: FakeCrawler, crawl: FakeCrawl) -> State:
    assert _state is not None, "install() comes first"
    started = time.monotonic()
    state: State = "SUCCEEDED"
    put_crawler_event(_state, crawler, crawl, "Started")
    try:
        _catalogue(backend, crawler)
    except CrawlFailed as error:
        state, crawl.error_message = "FAILED", str(error)
    except Exception as error:
        state, crawl.error_message = "FAILED", f"Internal Service Exception: {error!r}"
        raise
    finally:
        if crawl.status == "STOPPING":
            state = "CANCELLED"
        crawl.end_time = utcnow()
        crawler.crawl_elapsed_time = int((time.monotonic() - started) * 1000)
        crawl.status = CRAWL_STATUS[state]
        _write_log(_state, crawler, crawl, state)
        if state != "CANCELLED":
            put_crawler_event(_state, crawler, crawl, "Failed" if state == "FAILED" else "Succeeded")
    return state


def _last_crawl(crawler: FakeCrawler) -> dict[str, Any] | None:
    words = {status: state for state, status in CRAWL_STATUS.items()}
    ended = [crawl for crawl in crawler.crawls if crawl.status in words]
    if not ended:
        return None
    crawl = ended[-1]
    return {
        "Status": words[crawl.status],
        "ErrorMessage": crawl.error_message,
        "LogGroup": crawl.log_group,
        "LogStream": crawl.log_stream,
        "MessagePrefix": crawl.message_prefix,
        "StartTime": crawl.start_time,
    }


def _write_log(server: ServerState, crawler: FakeCrawler, crawl: FakeCrawl, state: State) -> None:
    line = f"{crawl.end_time:%Y-%m-%dT%H:%M:%SZ} [{crawl.crawl_id}] {state} {crawl.error_message or ''}"
    with (server.logs_dir / f"crawler-{crawler.name}.log").open("a", encoding="utf-8") as log:
        log.write(line.rstrip() + "\n")


@dataclass(frozen=True, slots=True)
class Folder:
    """The files of one partition, or of the whole table when it has none."""

    values: tuple[str, ...]
    location: str
    columns: Columns
    size: int
    files: int


def _catalogue(backend: GlueBackend, crawler: FakeCrawler) -> None:
    assert _state is not None, "install() comes first"
    try:
        assume_service_role(_state, crawler.role, "glue.amazonaws.com", "AWS-Crawler")
    except RoleNotAssumable:
        raise CrawlFailed(f"Service is unable to assume provided role {crawler.role}.") from None
    if crawler.database_name not in backend.databases:
        raise CrawlFailed(f"Database {crawler.database_name} not found.")
    for target in crawler.targets.get("S3Targets") or ():
        _catalogue_target(backend, crawler, target["Path"])


def _catalogue_target(backend: GlueBackend, crawler: FakeCrawler, path: str) -> None:
    bucket, _, prefix = path.removeprefix("s3://").partition("/")
    prefix = prefix.rstrip("/") + "/" if prefix.strip("/") else ""
    location = f"s3://{bucket}/{prefix}"
    partition_keys, folders = _scan(backend, bucket, prefix)
    if not folders:
        return
    last_folder = prefix.rstrip("/").rpartition("/")[2] or bucket
    name = (crawler.table_prefix or "") + last_folder.lower().replace("-", "_")

    tables = backend.databases[crawler.database_name].tables
    columns = combine(folder.columns for folder in folders)
    table_input = _table_input(crawler, name, location, columns, partition_keys, folders)
    table = tables.get(name)
    if table is None:
        _check_may_create(backend, crawler)
        table = backend.create_table(crawler.database_name, name, table_input, None)
    elif _behavior(crawler, "UpdateBehavior", "UPDATE_IN_DATABASE") == "UPDATE_IN_DATABASE":
        known = table.as_dict()
        described = known["StorageDescriptor"]["Columns"], known.get("Parameters")
        if described != (table_input["StorageDescriptor"]["Columns"], table_input["Parameters"]):
            table.update(table_input)
    if partition_keys:
        _update_partitions(crawler, table, table_input["StorageDescriptor"], folders)


def _scan(backend: GlueBackend, bucket: str, prefix: str) -> tuple[tuple[str, ...], list[Folder]]:
    """The partition keys below the prefix, and each folder that holds CSV files."""
    store = s3_backends[backend.account_id][get_partition(backend.region_name)]
    try:
        keys, *_ = store.list_objects(store.get_bucket(bucket), prefix or None, None, None, None)
    except MissingBucket:
        raise CrawlFailed(f"The specified bucket does not exist: {bucket}") from None
    by_folder: dict[tuple[str, ...], list[FakeKey]] = {}
    for key in keys:
        *parents, file_name = key.name.removeprefix(prefix).split("/")
        is_hidden = any(part.startswith(("_", ".")) for part in (*parents, file_name))
        if key.size and not is_hidden and file_name.lower().endswith((".csv", ".csv.gz")):
            by_folder.setdefault(tuple(parents), []).append(key)

    names = {
        tuple(
            part.partition("=")[0].lower() if "=" in part else f"partition_{n}" for n, part in enumerate(path)
        )
        for path in by_folder
    }
    if len(names) > 1:
        raise CrawlFailed(f"Folders of different depth or keys under s3://{bucket}/{prefix} are not emulated")
    folders = [
        Folder(
            values=tuple(part.partition("=")[2] if "=" in part else part for part in path),
            location="s3://" + "/".join((f"{bucket}/{prefix}".rstrip("/"), *path, "")),
            columns=combine(read_columns(key) for key in files),
            size=sum(key.size for key in files),
            files=len(files),
        )
        for path, files in sorted(by_folder.items())
    ]
    return (names.pop() if names else ()), folders


def _check_may_create(backend: GlueBackend, crawler: FakeCrawler) -> None:
    role = crawler.role
    if not role.startswith("arn:"):
        role = f"arn:{get_partition(backend.region_name)}:iam::{backend.account_id}:role/{role}"
    if not lake_formation.may(role, "CREATE_TABLE", crawler.database_name):
        raise CrawlFailed(
            f"Insufficient Lake Formation permission(s): Required Create Table on {crawler.database_name}"
        )


def _table_input(
    crawler: FakeCrawler,
    name: str,
    location: str,
    columns: Columns,
    partition_keys: tuple[str, ...],
    folders: list[Folder],
) -> dict[str, Any]:
    parameters = {
        "CrawlerSchemaDeserializerVersion": "1.0",
        "CrawlerSchemaSerializerVersion": "1.0",
        "UPDATED_BY_CRAWLER": crawler.name,
        "classification": "csv",
        "columnsOrdered": "true",
        "compressionType": "none",
        "delimiter": columns.delimiter,
        "objectCount": str(sum(folder.files for folder in folders)),
        "sizeKey": str(sum(folder.size for folder in folders)),
        "skip.header.line.count": "1",
        "typeOfData": "file",
    }
    return {
        "Name": name,
        "Owner": "owner",
        "Retention": 0,
        "StorageDescriptor": _descriptor(location, columns, parameters),
        "PartitionKeys": [{"Name": key, "Type": "string"} for key in partition_keys],
        "TableType": "EXTERNAL_TABLE",
        "Parameters": parameters,
    }


def _descriptor(location: str, columns: Columns, parameters: dict[str, str]) -> dict[str, Any]:
    return {
        "Columns": [{"Name": name, "Type": hive_type} for name, hive_type in columns.types.items()],
        "Location": location,
        "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
        "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        "Compressed": False,
        "NumberOfBuckets": -1,
        "SerdeInfo": {
            "SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
            "Parameters": {"field.delim": columns.delimiter},
        },
        "BucketColumns": [],
        "SortColumns": [],
        "Parameters": parameters,
        "StoredAsSubDirectories": False,
    }


def _update_partitions(
    crawler: FakeCrawler, table: FakeTable, descriptor: dict[str, Any], folders: list[Folder]
) -> None:
    output = json.loads(crawler.configuration or "{}").get("CrawlerOutput", {})
    is_inherited = output.get("Partitions", {}).get("AddOrUpdateBehavior") == "InheritFromTable"
    for folder in folders:
        own = _descriptor(folder.location, folder.columns, descriptor["Parameters"])
        if is_inherited:
            own["Columns"] = table.as_dict()["StorageDescriptor"]["Columns"]
        partition_input = {"Values": list(folder.values), "StorageDescriptor": own}
        if str(list(folder.values)) in table.partitions:
            table.update_partition(list(folder.values), partition_input)
        else:
            table.create_partition(partition_input)
    if _behavior(crawler, "DeleteBehavior", "DEPRECATE_IN_DATABASE") == "DELETE_FROM_DATABASE":
        seen = {str(list(folder.values)) for folder in folders}
        for gone in set(table.partitions) - seen:
            del table.partitions[gone]


def _behavior(crawler: FakeCrawler, kind: str, default: str) -> str:
    return (crawler.schema_change_policy or {}).get(kind, default)
