"""A Glue job or crawler ended badly: have the run tried again, or make sure that people hear of it, once.

Every so often the same function is asked to sweep: to look for what no event told of (etl/lambdas/sweep.py).
"""

import logging
from collections.abc import Mapping
from typing import Any

from etl.lambdas.job_failures import handle_job_run
from etl.lambdas.messages import handle_each
from etl.lambdas.side_failures import tell_of_crawler
from etl.lambdas.sweep import sweep
from etl.settings import FailureSettings, failure_settings

logger = logging.getLogger()
logger.setLevel(logging.INFO)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """SQS hands over Glue's events about jobs and crawlers; a message that fails comes again.

    The scheduler, which wants a sweep, hands over no records.
    """
    settings = failure_settings()
    if "Records" not in event:
        return sweep(settings)
    return handle_each(event, lambda message: _handle(message, settings))


def _handle(event: Mapping[str, Any], settings: FailureSettings) -> None:
    if "sweep" in event:  # that failed, and comes back from the dead letter queue
        sweep(settings)
        return
    detail = event["detail"]
    if "crawlerName" in detail:
        tell_of_crawler(detail, event["id"], settings)
    else:
        handle_job_run(detail["jobName"], detail["jobRunId"], settings)
