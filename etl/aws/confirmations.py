"""Confirmed keys of batches (etl/steps/confirmed.py), as objects of the processed zone."""

import io
from collections.abc import Collection, Iterable

import pyarrow as pa
import pyarrow.parquet as pq

from etl.aws import object_store
from etl.batch import Batch, date_of_batch

_CONTENT_TYPE = "application/vnd.apache.parquet"


class BatchConfirmations:
    """Implements etl.steps.confirmed.Confirmations.

    `confirmed/<dataset>/<batch date>/<landed at>/<batch id>/<checksum of the staged rows>-<hashing>/…`: their
    names stand in the order in which batches are newer, so a batch looks at no older ones.
    """

    def __init__(self, bucket: str, batch: Batch, staged_sha256: str, hashing: str):
        """`hashing`: etl.steps.confirmed.hashing_of."""
        self._bucket, self._batch, self._hashing = bucket, batch, hashing
        self._folder = f"confirmed/{batch.dataset}/"
        landed_at = batch.landed_at.strftime("%Y%m%dT%H%M%S.%fZ")
        self._moment = f"{self._folder}{batch.batch_date}/{landed_at}/"
        self._own = f"{self._moment}{batch.batch_id}/{staged_sha256[:16]}-{hashing}/"

    def write(self, keys: pa.ChunkedArray, part: str = "0") -> None:
        sink = io.BytesIO()
        pq.write_table(pa.table({"key": keys}), sink, compression="zstd", use_dictionary=False)
        object_store.write_object(self._bucket, f"{self._own}{part}.parquet", sink.getvalue(), _CONTENT_TYPE)

    def newer(self, taken: Collection[str]) -> Iterable[pa.ChunkedArray] | None:
        names = self.newer_names(taken)
        return None if names is None else map(self.read, names)

    def newer_names(self, taken: Collection[str]) -> list[str] | None:
        """The objects that `newer` reads."""
        day = self._batch.batch_date
        keys = object_store.list_keys(self._bucket, self._folder, after=f"{self._folder}{day}")
        kept = [(key, key.split("/")[-3]) for key in keys if f"-{self._hashing}/" in key]
        others = {batch_id for batch_id in taken if date_of_batch(batch_id) >= day} - {self._batch.batch_id}
        if others - {batch_id for _, batch_id in kept}:
            return None
        return [key for key, batch_id in kept if key > self._moment and batch_id in others]

    def read(self, key: str) -> pa.ChunkedArray:
        return pq.read_table(io.BytesIO(object_store.read_object(self._bucket, key)))["key"]
