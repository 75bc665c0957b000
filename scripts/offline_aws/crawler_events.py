"""Glue's "Glue Crawler State Change" events, of which an end says less than a crawl has to tell."""

from __future__ import annotations

import logging
from typing import Literal

from moto.events.models import events_backends
from moto.glue.models import FakeCrawl, FakeCrawler

from scripts.offline_aws.events import put_event
from scripts.offline_aws.state import ServerState

log = logging.getLogger("offline_aws.crawler")

EventState = Literal["Started", "Succeeded", "Failed"]
"""A crawl that was stopped has no event."""


def put_crawler_event(
    state: ServerState, crawler: FakeCrawler, crawl: FakeCrawl, event_state: EventState
) -> None:
    """Fields: https://docs.aws.amazon.com/glue/latest/dg/automating-awsglue-with-cloudwatch-events.html"""
    detail = {
        "accountId": state.account_id,
        "crawlerName": crawler.name,
        "cloudWatchLogLink": (
            f"https://console.aws.amazon.com/cloudwatch/home?region={state.region}#logEventViewer:"
            f"group=/aws-glue/crawlers;stream={crawler.name}"
        ),
        "state": event_state,
        "message": f"Crawler {event_state}",
    }
    if event_state == "Failed":
        detail["errorMessage"] = crawl.error_message
    try:
        backend = events_backends[state.account_id][state.region]
        put_event(backend, "aws.glue", "Glue Crawler State Change", detail, [])
    except Exception:
        log.exception("%s: its event could not be delivered", crawler.name)
