"""What no event told of: EventBridge delivers Glue's events as best it can, and a message can be lost.

Everything here has been done already, as a rule, and then changes nothing.
"""

import logging
from datetime import UTC, datetime, timedelta

from etl.aws.alerts import Outbox
from etl.aws.workflow import failed_jobs, list_runs
from etl.lambdas.job_failures import handle_job_run
from etl.settings import FailureSettings

logger = logging.getLogger(__name__)

_LOOKS_BACK = timedelta(days=2)


def sweep(settings: FailureSettings) -> dict[str, int]:
    """Handle the failures of the last two days that nobody has seen to, and send the alerts that wait.

    A failure has been seen to when another run resumes its run. Else it is handled as if its event came now:
    a retry that is due and did not come is sent for once more, and all else is known.

    What cannot be handled does not keep the rest waiting; the next sweep tries it again.
    """
    unhandled = 0
    for dataset in sorted(settings.datasets):
        workflow = settings.workflow_name(dataset)
        runs = list_runs(workflow)
        resumed = {run.previous_run_id for run in runs}
        since = datetime.now(UTC) - _LOOKS_BACK
        for run in runs:
            if not run.has_ended_badly or run.run_id in resumed or run.started_at < since:
                continue
            for job, job_run_id in failed_jobs(workflow, run.run_id):
                try:
                    handle_job_run(job, job_run_id, settings)
                except Exception:
                    logger.exception("%s will be looked at again", job_run_id)
                    unhandled += 1
    waiting = Outbox(settings.alert_topic_arn, settings.docs_bucket).send_waiting()
    return {"unhandled": unhandled, "alerts_waiting": waiting}
