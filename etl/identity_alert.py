"""The alert about keys that do not seem to stay with whom they name."""

from etl.alert import Alert, AlertKind, compose
from etl.aws.lake import Lake
from etl.batch import Batch
from etl.run_report import MergeReport


def compose_identity_alert(batch: Batch, report: MergeReport, lake: Lake) -> Alert:
    """One message for a run, with counts alone: the keys are in the report, as hashes."""
    suspects = report.splits + report.collisions
    headline = (
        f"{batch.dataset} of {batch.batch_date} is written; {suspects} of its keys may not name one each"
    )
    splits = f"{report.splits} new rows are in the table by another age, which the file no longer has"
    collisions = f"{report.collisions} keys stand in the file with different values; one row of each was kept"
    facts = {
        "Dataset": batch.dataset,
        "Batch date": str(batch.batch_date),
        "File": f"version {batch.version_id} in {batch.folder_uri}",
        "Suspected splits": splits if report.splits else None,
        "Collisions": collisions if report.collisions else None,
        "Written": "the batch is in the table",
        "Report": lake.merge_report_uri(report),
        "Run": report.run_id,
    }
    next_step = (
        "Nothing was changed for it. A data steward finds the rows by the hashes of their keys in the report "
        "(docs/pii.md), and asks the sender who is who."
    )
    return compose(
        dataset=batch.dataset,
        kind=AlertKind.IDENTITY_CHANGED,
        severity="warning",
        scope=lake.first_run_id,
        headline=headline,
        facts=facts,
        next_step=next_step,
        runbooks_url=lake.runbooks_url,
        run_id=report.run_id,
    )
