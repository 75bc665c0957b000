"""The record of a run that waits for a person."""

import json

from etl.operations.intervention import Intervention, intervention_key


def test_a_record_is_one_line_of_json_below_its_dataset():
    """Athena reads an object as one JSON document a line, and finds it below the table's prefix."""
    opened = Intervention(
        dataset="employee",
        batch_date="2026-11-24",
        run_id="wr_1",
        step="merge",
        error="CommitStateUnknown: it is\nunknown",
        attempts=4,
        opened_at="2026-11-24T12:00:00+00:00",
        resolved_at=None,
        resume_command="make replay RUN=wr_1",
        log_group="/aws-glue/jobs/error",
        docs_uri=None,
    )

    assert "\n" not in opened.to_json()
    assert json.loads(opened.to_json())["resolved_at"] is None
    assert json.loads(opened.to_json())["opened_at"] == "2026-11-24 12:00:00.000"
    assert Intervention(**json.loads(opened.to_json())).to_json() == opened.to_json()
    assert intervention_key("employee", "wr_1") == "operations/interventions/employee/wr_1.json"
