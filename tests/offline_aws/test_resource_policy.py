"""Whether a resource policy admits a service for one rule."""

from __future__ import annotations

import json

import pytest

from scripts.offline_aws.resource_policy import lets_service

RULE = "arn:aws:events:us-east-1:123456789012:rule/landing"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:landing"
ALLOW = {
    "Effect": "Allow",
    "Principal": {"Service": "events.amazonaws.com"},
    "Action": "sqs:SendMessage",
    "Resource": QUEUE,
    "Condition": {"ArnEquals": {"aws:SourceArn": RULE}},
}


def lets_rule(*statements: dict) -> bool:
    policy = json.dumps({"Statement": list(statements)})
    return lets_service(policy, "events.amazonaws.com", "sqs:SendMessage", QUEUE, RULE)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"Action": ["sqs:*"]},
        {"Resource": "*"},
        {"Principal": "*"},
        {"Principal": {"Service": ["sns.amazonaws.com", "events.amazonaws.com"]}},
        {"Condition": {}},
        {"Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:events:*:123456789012:rule/*"}}},
        {"Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}}},
    ],
)
def test_a_statement_that_fits_lets_it_in(change):
    """Service, action, resource and source must all be named, exactly or by a pattern."""
    assert lets_rule({**ALLOW, **change})


@pytest.mark.parametrize(
    "change",
    [
        {"Principal": {"Service": "sns.amazonaws.com"}},
        {"Principal": {"AWS": "arn:aws:iam::123456789012:root"}},
        {"Action": "sqs:ReceiveMessage"},
        {"Resource": QUEUE + "-dlq"},
        {"Condition": {"ArnEquals": {"aws:SourceArn": RULE + "-2"}}},
        {"Condition": {"StringEquals": {"aws:SourceAccount": "210987654321"}}},
        {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}},
        {"Effect": "Deny"},
    ],
)
def test_a_statement_that_does_not_fit_does_not(change):
    """One thing that is wrong is enough; a condition that cannot be judged counts as unmet."""
    assert not lets_rule({**ALLOW, **change})


def test_deny_wins_and_no_policy_admits_nobody():
    """As in IAM."""
    assert not lets_rule(ALLOW, {**ALLOW, "Effect": "Deny", "Condition": {}})
    assert not lets_service(None, "events.amazonaws.com", "sqs:SendMessage", QUEUE, RULE)


def test_a_deny_of_insecure_transport_denies_nothing_here():
    """The usual "TLS only" statement has a condition that deliveries inside AWS never meet."""
    insecure = {"Bool": {"aws:SecureTransport": "false"}}
    deny = {**ALLOW, "Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Condition": insecure}
    assert lets_rule(ALLOW, deny)
