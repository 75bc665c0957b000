"""What CloudWatch says to SNS when an alarm changes: JSON, and for e-mail subscriptions text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import botocore.session
from moto.cloudwatch.models import Alarm

from scripts.offline_aws.alarm_data import WORDS, DataPoint, State, breaches
from scripts.offline_aws.alarm_expressions import alarms_named_in

_SUBJECT_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Change:
    """One alarm went from one state to another."""

    alarm: Alarm
    old: State
    new: State
    reason: str
    at: datetime

    def as_dict(self) -> dict[str, str]:
        return {"alarm": self.alarm.name, "from": self.old, "to": self.new, "reason": self.reason}


@cache
def region_name(region: str) -> str:
    """As people know it, such as US East (N. Virginia)."""
    endpoints = botocore.session.get_session().get_component("data_loader").load_data("endpoints")
    for partition in endpoints["partitions"]:
        if facts := partition["regions"].get(region):
            return facts["description"]
    return region


def reason_of_metric_alarm(alarm: Alarm, state: State, points: Sequence[DataPoint]) -> str:
    needed = int(alarm.evaluation_periods)
    real = [point for point in points if point.value is not None][:needed]
    if not real:
        treated = {"breaching": "Breaching", "notBreaching": "NonBreaching"}
        if alarm.treat_missing_data not in treated:
            return "Insufficient Data: no datapoints were received."
        return (
            f"Threshold Crossed: no datapoints were received for {needed} period{'s' if needed > 1 else ''} "
            f"and {needed} missing datapoints were treated as [{treated[alarm.treat_missing_data]}]."
        )
    told = [point for point in real if breaches(alarm, point.value) is (state == "ALARM")]
    values = ", ".join(f"{point.value} ({point.starts_at:%d/%m/%y %H:%M:%S})" for point in told)
    verb = "was" if len(told) == 1 else "were"
    verb = verb if state == "ALARM" else f"{verb} not"
    return (
        f"Threshold Crossed: {len(told)} out of the last {needed} datapoints [{values}] {verb} "
        f"{WORDS[alarm.comparison_operator]} the threshold ({float(alarm.threshold)})."
    )


def reason_of_composite_alarm(children: Sequence[Alarm], at: datetime) -> str:
    """`children` are those whose change was the cause."""
    moved = [f"{c.alarm_arn} transitioned to {c.state_value} at {_spoken(at)}" for c in children]
    return "; ".join(moved) or "The rule of the alarm was evaluated for the first time."


def subject(change: Change) -> str:
    return f'{change.new}: "{change.alarm.name}" in {region_name(change.alarm.region_name)}'[:_SUBJECT_LIMIT]


def body(change: Change, account_id: str, children: Sequence[Alarm]) -> dict[str, Any]:
    """What every subscription but e-mail gets, as JSON."""
    alarm = change.alarm
    said = {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": account_id,
        "AlarmConfigurationUpdatedTimestamp": _stamp(alarm.configuration_updated_timestamp),
        "NewStateValue": change.new,
        "NewStateReason": change.reason,
        "StateChangeTime": _stamp(change.at),
        "Region": region_name(alarm.region_name),
        "AlarmArn": alarm.alarm_arn,
        "OldStateValue": change.old,
        "OKActions": alarm.ok_actions,
        "AlarmActions": alarm.alarm_actions,
        "InsufficientDataActions": alarm.insufficient_data_actions,
    }
    if alarm.rule is None:
        return said | {"Trigger": _trigger(alarm)}
    moment = _stamp(change.at)
    moved = [{"Arn": c.alarm_arn, "State": {"Value": c.state_value, "Timestamp": moment}} for c in children]
    return said | {"AlarmRule": alarm.rule, "TriggeringChildren": moved}


def _trigger(alarm: Alarm) -> dict[str, Any]:
    common = {
        "EvaluationPeriods": int(alarm.evaluation_periods),
        "DatapointsToAlarm": int(alarm.datapoints_to_alarm or alarm.evaluation_periods),
        "ComparisonOperator": alarm.comparison_operator,
        "Threshold": float(alarm.threshold),
        "TreatMissingData": alarm.treat_missing_data or "missing",
        "EvaluateLowSampleCountPercentile": "",
    }
    if not alarm.metric_data_queries:
        return {
            "MetricName": alarm.metric_name,
            "Namespace": alarm.namespace,
            "StatisticType": "Statistic",
            "Statistic": _upper(alarm.statistic),
            "Unit": alarm.unit,
            "Dimensions": [{"value": d.value, "name": d.name} for d in alarm.dimensions],
            "Period": int(alarm.period),
        } | common
    metrics = [
        {"Id": q.id, "Label": q.label, "ReturnData": str(q.return_data).lower() == "true"}
        | ({"Expression": q.expression} if q.expression else {"MetricStat": _metric_stat(q.metric_stat)})
        for q in alarm.metric_data_queries
    ]
    return common | {"Metrics": metrics}


def _metric_stat(stat: Any) -> dict[str, Any]:
    metric = {
        "Dimensions": [{"value": d.value, "name": d.name} for d in stat.metric.dimensions],
        "MetricName": stat.metric.metric_name,
        "Namespace": stat.metric.namespace,
    }
    return {"Metric": metric, "Period": int(stat.period), "Stat": stat.stat}


def email(change: Change, account_id: str) -> str:
    alarm, place = change.alarm, region_name(change.alarm.region_name)
    facts = {
        "Name": alarm.name,
        "Description": alarm.description or "",
        "State Change": f"{change.old} -> {change.new}",
        "Reason for State Change": change.reason,
        "Timestamp": _spoken(change.at),
        "AWS Account": account_id,
        "Alarm Arn": alarm.alarm_arn,
    }
    if alarm.rule is not None:
        facts["Alarm Rule"] = alarm.rule
    lines = [f"- {name + ':':<28}{value}" for name, value in facts.items()]
    return "\n".join(
        [
            f'You are receiving this email because your Amazon CloudWatch Alarm "{alarm.name}" in the '
            f'{place} region has entered the {change.new} state, because "{change.reason}" at '
            f'"{_spoken(change.at)}".',
            "",
            "Alarm Details:",
            *lines,
        ]
    )


def triggering(alarm: Alarm, changes: Sequence[Change]) -> list[Alarm]:
    """Of the alarms in a composite alarm's rule, those that changed just now."""
    changed = {change.alarm.name: change.alarm for change in changes}
    return [changed[name] for name in alarms_named_in(alarm.rule or "") if name in changed]


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"


def _spoken(moment: datetime) -> str:
    return f"{moment:%A %d %B, %Y %H:%M:%S} UTC"


def _upper(statistic: str) -> str:
    return {"SampleCount": "SAMPLE_COUNT"}.get(statistic, statistic.upper())
