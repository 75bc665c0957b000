"""Keys of what a run leaves in the docs zone. Standard library only: the Lambdas use it."""

from datetime import date


def manifest_key(dataset: str, run_id: str) -> str:
    return f"runs/{dataset}/{run_id}/manifest.json"


def batch_key(dataset: str, batch_id: str) -> str:
    """Of the note which run judged the batch last; that it is there says that a gate has judged it."""
    return f"runs/{dataset}/batches/{batch_id}.json"


def history_key(dataset: str) -> str:
    """Of the counts of the batches that a gate let pass; no run id has a dot."""
    return f"runs/{dataset}/history.json"


def gate_report_key(dataset: str, run_id: str) -> str:
    return f"runs/{dataset}/{run_id}/gate.json"


def merge_report_key(dataset: str, run_id: str) -> str:
    return f"runs/{dataset}/{run_id}/merge.json"


def maintenance_report_key(dataset: str, job_run_id: str) -> str:
    return f"runs/{dataset}/maintenance/{job_run_id}.json"


def backfill_key(dataset: str, batch_date: date) -> str:
    """Of what backfills did with the files of a date."""
    return f"operations/backfills/{dataset}/{batch_date}.json"


def replay_key(dataset: str, batch_id: str) -> str:
    """Of what replays did with the batch."""
    return f"operations/replays/{dataset}/{batch_id}.json"


def error_key(dataset: str, run_id: str, step: str) -> str:
    """Of the error that ended the last job run of the step, as the job itself tells it."""
    return f"runs/{dataset}/{run_id}/{step}-error.json"


def page_key(name: str) -> str:
    """Of a page of the Data Docs."""
    return f"data-docs/{name}"
