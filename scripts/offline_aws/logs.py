"""CloudWatch Logs: a metric filter that is put again replaces the one of its name."""

from __future__ import annotations

from typing import Any

from moto.logs.metric_filters import MetricFilters

from scripts.offline_aws.state import ServerState


def install(_: ServerState) -> None:
    add_filter = MetricFilters.add_filter

    def replace_filter(
        self: MetricFilters, filter_name: str, filter_pattern: str, log_group_name: str, *rest: Any
    ) -> None:
        """PutMetricFilter "creates or updates a metric filter"; moto appends another."""
        self.metric_filters = [
            known
            for known in self.metric_filters
            if (known["filterName"], known["logGroupName"]) != (filter_name, log_group_name)
        ]
        add_filter(self, filter_name, filter_pattern, log_group_name, *rest)

    MetricFilters.add_filter = replace_filter
