"""Whether a resource policy lets an AWS service in on behalf of a resource, such as a rule."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

EQUAL = {"arnequals", "stringequals", "arnlike", "stringlike"}


def lets_service(policy: str | None, service: str, action: str, resource: str, source_arn: str) -> bool:
    """True when a statement allows it and none denies it.

    Conditions are read for aws:SourceArn and aws:SourceAccount with the equal and like operators. A
    statement with any other condition is taken as not met, so that it neither allows nor denies.
    """
    statements = _as_list(json.loads(policy).get("Statement", [])) if policy else []
    about = [s for s in statements if _is_about(s, service, action, resource, source_arn)]
    return any(s["Effect"] == "Allow" for s in about) and not any(s["Effect"] == "Deny" for s in about)


def _is_about(statement: dict[str, Any], service: str, action: str, resource: str, source_arn: str) -> bool:
    return (
        _names_service(statement.get("Principal"), service)
        and any(fnmatchcase(action.lower(), a.lower()) for a in _as_list(statement.get("Action", [])))
        and any(fnmatchcase(resource, r) for r in _as_list(statement.get("Resource", "*")))
        and _conditions_hold(statement.get("Condition", {}), source_arn)
    )


def _names_service(principal: Any, service: str) -> bool:
    if isinstance(principal, dict):
        return service in _as_list(principal.get("Service", [])) or "*" in _as_list(principal.get("AWS", []))
    return principal == "*"


def _conditions_hold(conditions: dict[str, dict[str, Any]], source_arn: str) -> bool:
    facts = {"aws:sourcearn": source_arn, "aws:sourceaccount": source_arn.split(":")[4]}
    for operator, tests in conditions.items():
        for key, wanted in tests.items():
            fact = facts.get(key.lower())
            if operator.lower() not in EQUAL or fact is None:
                return False
            if not any(fnmatchcase(fact, pattern) for pattern in _as_list(wanted)):
                return False
    return True


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
