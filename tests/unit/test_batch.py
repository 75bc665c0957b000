"""Batches: what identifies them, and how a workflow run carries them."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from builders import a_batch

from etl.batch import MergeMode, from_run_properties, parse_raw_key, to_run_properties
from etl.errors import ArgumentsInvalid, RawKeyInvalid


@pytest.mark.parametrize("change", [{"bucket": "b"}, {"key": "k"}, {"version_id": "v2"}, {"etag": "e"}])
def test_another_object_version_is_another_batch(change: dict[str, str]):
    """Bucket, key, version and checksum each tell batches apart."""
    assert a_batch(**change).batch_id != a_batch().batch_id


def test_the_same_object_version_is_the_same_batch():
    """What may differ between two events for one object version does not change the batch id."""
    again = a_batch(landed_at=datetime(2027, 1, 1, tzinfo=UTC), size_bytes=0)

    assert again.batch_id == a_batch().batch_id
    assert again.batch_id.startswith("employee-2026-11-24-")


def test_parts_of_the_identity_do_not_run_together():
    """Moving a letter from one part of the identity to the next makes another batch."""
    assert a_batch(version_id="ab", etag="c").batch_id != a_batch(version_id="a", etag="bc").batch_id


@pytest.mark.parametrize("mode", MergeMode)
def test_run_properties_round_trip(mode: MergeMode):
    """A batch and its mode come back from the run's properties, which are strings."""
    batch = a_batch(landed_at=datetime(2026, 11, 24, 12, 0, 0, 5, tzinfo=timezone(timedelta(hours=2))))
    properties = to_run_properties(batch, mode, "landed")

    assert {type(value) for value in properties.values()} == {str}
    assert properties["trigger"] == "landed"
    assert from_run_properties(properties, lambda *_: batch.key) == (batch, mode)


def test_run_properties_do_not_hold_the_key():
    """A file's name may name somebody, so a run carries its folder and version; the key is looked up."""
    batch = a_batch(key="employee/dt=2026-11-24/ada-lovelace.csv")
    asked = []
    properties = to_run_properties(batch, MergeMode.UPSERT, "landed")
    from_run_properties(properties, lambda *of: asked.append(of) or batch.key)

    assert not [value for value in properties.values() if "lovelace" in value]
    assert asked == [(batch.bucket, "employee/dt=2026-11-24/", batch.version_id)]


PROPERTIES = to_run_properties(a_batch(), MergeMode.UPSERT, "landed")


@pytest.mark.parametrize("name", sorted(PROPERTIES.keys() - {"trigger", "batch_id"}))
def test_every_property_is_needed(name: str):
    """A run that lacks a property was not started by us, and the error names it."""
    properties = {other: value for other, value in PROPERTIES.items() if other != name}

    with pytest.raises(ArgumentsInvalid, match=name):
        from_run_properties(properties, lambda *_: "k")


@pytest.mark.parametrize(
    ("name", "value"),
    [("batch_date", "24.11.2026"), ("size_bytes", "many"), ("landed_at", "noon"), ("merge_mode", "x")],
)
def test_malformed_properties(name: str, value: str):
    """A property of the wrong form is an error of the caller, not a crash."""
    with pytest.raises(ArgumentsInvalid, match="cannot be used"):
        from_run_properties(PROPERTIES | {name: value}, lambda *_: "k")


@pytest.mark.parametrize("file", ["x.csv", "x.csv.gz", "Zoë 1.csv"])
def test_raw_keys_name_dataset_and_date(file: str):
    """The folders of a raw key are the dataset and the batch date."""
    assert parse_raw_key(f"employee/dt=2026-11-24/{file}") == ("employee", date(2026, 11, 24))


@pytest.mark.parametrize(
    "key",
    [
        "",
        "employee/x.csv",
        "dt=2026-11-24/x.csv",
        "employee/dt=2026-11-24/",
        "employee/dt=2026-11-24/x.txt",
        "employee/dt=2026-11-24/x.csv.zip",
        "employee/dt=2026-11-24/y/x.csv",
        "Employee/dt=2026-11-24/x.csv",
        "employee/dt=26-11-24/x.csv",
        "employee/dt=2026-02-30/x.csv",
        "employee/dt=２０２６-11-24/x.csv",
    ],
)
def test_keys_that_do_not(key: str):
    """Any other key is refused with the form that is expected; no retry helps."""
    with pytest.raises(RawKeyInvalid, match=r"expected <dataset>/dt=YYYY-MM-DD/<file>\.csv") as caught:
        parse_raw_key(key)

    assert not caught.value.retryable
