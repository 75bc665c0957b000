"""A batch is published: what was open about its file is over, and people hear of it."""

import json
from dataclasses import replace
from datetime import UTC, datetime

from etl.aws.alerts import Outbox
from etl.aws.cases import cases_settled_by, change_case
from etl.aws.object_store import read_object, write_object
from etl.batch import Batch
from etl.operations.case import Case
from etl.operations.failure_alerts import compose_recovery
from etl.operations.intervention import Intervention, intervention_key


def settle_cases(batch: Batch, run_id: str, outbox: Outbox, runbooks_url: str) -> None:
    """Close them last: whoever is killed before does all of it again, and people still hear of it once."""
    cases = cases_settled_by(outbox.docs_bucket, batch)
    if cases:
        outbox.send_waiting(batch.dataset)  # if SNS was down, the failure is told before its end
    for case in cases:
        outbox.send(compose_recovery(case, run_id, batch.version_id, runbooks_url))
        if case.intervention_run_id:
            _resolve(case, case.intervention_run_id, outbox.docs_bucket)
        change_case(outbox.docs_bucket, case, lambda known: known.close(datetime.now(UTC)))


def _resolve(case: Case, opened_by: str, docs_bucket: str) -> None:
    key = intervention_key(case.dataset, opened_by)
    record = Intervention(**json.loads(read_object(docs_bucket, key)))
    resolved = replace(record, resolved_at=datetime.now(UTC).isoformat())
    write_object(docs_bucket, key, resolved.to_json().encode(), "application/json")
