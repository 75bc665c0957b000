"""What the roles of a stack may do, and what they did: policies evaluated against recorded requests.

Only what policies of ours are written with is known: Allow, Action, Resource and a few conditions. Anything
else is an error, since a part that is not understood would be evaluated wrongly.
"""

import fnmatch
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from scripts.offline_aws.server import ACCOUNT_ID
from scripts.offline_machine import REGION

_SERVICE = re.compile(r"Credential=\w+/\d+/[\w-]+/(\w+)/")
_S3 = "arn:aws:s3:::"
_OBJECT_ACTIONS = {
    "GET": "GetObject",
    "HEAD": "GetObject",
    "PUT": "PutObject",
    "POST": "PutObject",
    "DELETE": "DeleteObject",
}
_BUCKET_ACTIONS = {
    "versions": "ListBucketVersions",
    "list-type": "ListBucket",
    "location": "GetBucketLocation",
}
_KEY_USE = {
    "s3:GetObject": ("kms:Decrypt",),
    "s3:GetObjectVersion": ("kms:Decrypt",),
    "s3:PutObject": ("kms:GenerateDataKey", "kms:Decrypt"),  # the second for uploads in parts
    "sns:Publish": ("kms:GenerateDataKey", "kms:Decrypt"),
}


@dataclass(frozen=True, slots=True)
class Act:
    """An action of a role on a resource; `context` is what conditions ask about."""

    role: str
    action: str
    resource: str
    context: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """Of one role's policy; `actions` and `resources` may hold *."""

    role: str
    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...]

    @classmethod
    def parse(cls, role: str, statement: Mapping[str, Any]) -> "Statement":
        assert statement["Effect"] == "Allow", statement
        unknown = set(statement) - {"Sid", "Effect", "Action", "Resource", "Condition"}
        assert not unknown, f"this evaluator does not know {unknown}"
        conditions = tuple(
            (operator, key, _several(values))
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
        return cls(
            role, statement["Sid"], _several(statement["Action"]), _several(statement["Resource"]), conditions
        )

    def allows(self, act: Act) -> bool:
        return (
            self.role == act.role
            and any(is_like(pattern.lower(), act.action.lower()) for pattern in self.actions)
            and any(is_like(pattern, act.resource) for pattern in self.resources)
            and all(_holds(*condition, dict(act.context)) for condition in self.conditions)
        )


def _holds(operator: str, key: str, values: tuple[str, ...], context: Mapping[str, str]) -> bool:
    """A condition on what the request does not say does not hold."""
    assert operator in {"StringEquals", "StringLike"}, f"this evaluator does not know {operator}"
    compare = is_like if operator == "StringLike" else str.__eq__
    return key in context and any(compare(value, context[key]) for value in values)


def is_like(pattern: str, value: str) -> bool:
    """IAM's * and ?; a bracket is a bracket."""
    return fnmatch.fnmatchcase(value, pattern.replace("[", "[[]"))


def _several(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


@dataclass(slots=True)
class Recording:
    """Acts from what tests.e2e.recorded_aws wrote.

    `keys` is the KMS key of each bucket and topic: whoever uses one of these uses its key, and AWS asks
    whether they may, in a call that nobody makes over the wire.
    """

    keys: Mapping[str, str]
    workgroups: dict[str, str] = field(default_factory=dict)

    def acts(self, record: Path) -> Iterator[Act]:
        with record.open(encoding="utf-8") as lines:
            for line in lines:
                entry = json.loads(line)
                if entry["role"]:
                    yield from self._acts_of(entry)

    def _acts_of(self, entry: Mapping[str, Any]) -> Iterator[Act]:
        method, url, target = f"{entry['request']}  ".split(" ")[:3]
        headers, sent, head, answered = entry["parts"] or ("Credential=x/1/x/s3/", "", "", "")
        service = _SERVICE.search(headers)
        assert service, entry
        found = self._s3(method, url, sent, head) if service[1] == "s3" else ()
        if service[1] != "s3":
            found = self._api(service[1], target.rpartition(".")[2], sent, answered)
        for action, resource, context in found:
            yield Act(entry["role"], action, resource, tuple(context.items()))
            owner = resource.removeprefix(_S3).partition("/")[0]
            for use in _KEY_USE.get(action, ()):
                via = {"kms:ViaService": f"{service[1]}.{REGION}.amazonaws.com"}
                yield Act(entry["role"], use, self.keys[owner], tuple(via.items()))

    def _s3(self, method: str, url: str, sent: str, head: str) -> Iterator[tuple[str, str, dict[str, str]]]:
        """Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html"""
        path, query = urlsplit(url).path, parse_qs(urlsplit(url).query, keep_blank_values=True)
        bucket, _, key = unquote(path).removeprefix("/").partition("/")
        if "delete" in query:
            for name in re.findall(r"<Key>([^<]+)</Key>", sent):
                yield "s3:DeleteObject", f"{_S3}{bucket}/{name}", {}
        elif not key:
            (action,) = {_BUCKET_ACTIONS[name] for name in query if name in _BUCKET_ACTIONS}
            context = {"s3:prefix": query["prefix"][0]} if "prefix" in query else {}
            yield f"s3:{action}", f"{_S3}{bucket}", context
        else:
            action = _OBJECT_ACTIONS[method]
            if "uploadId" in query and method == "DELETE":
                action = "AbortMultipartUpload"
            version = "Version" if "versionId" in query and action == "GetObject" else ""
            yield f"s3:{action}{version}", f"{_S3}{bucket}/{key}", {}
            if head.startswith("404"):  # who may not list is told 403
                yield "s3:ListBucket", f"{_S3}{bucket}", {}

    def _api(
        self, service: str, operation: str, sent: str, answered: str
    ) -> Iterator[tuple[str, str, dict[str, str]]]:
        regional = f":{REGION}:{ACCOUNT_ID}"
        match service:
            case "glue":
                for resource in _of_glue(operation, json.loads(sent)):
                    yield f"glue:{operation}", f"arn:aws:glue{regional}:{resource}", {}
            case "sns":
                asked = parse_qs(sent)
                yield f"sns:{asked['Action'][0]}", asked["TopicArn"][0], {}
            case "sqs":
                asked = json.loads(sent)
                queue = asked.get("QueueName") or asked["QueueUrl"].rpartition("/")[2]
                yield f"sqs:{operation}", f"arn:aws:sqs{regional}:{queue}", {}
            case "monitoring":
                yield f"cloudwatch:{operation}", "*", {"cloudwatch:namespace": _namespace(sent)}
            case "athena":
                yield f"athena:{operation}", self._workgroup(regional, json.loads(sent), answered), {}
            case _:
                raise AssertionError(f"nobody told how to read {service}:{operation}")

    def _workgroup(self, regional: str, asked: Mapping[str, str], answered: str) -> str:
        """Of a query that is named by its id, the one that it was started in."""
        if "WorkGroup" in asked:
            self.workgroups[json.loads(answered)["QueryExecutionId"]] = asked["WorkGroup"]
        return (
            f"arn:aws:athena{regional}:workgroup/"
            f"{asked.get('WorkGroup') or self.workgroups[asked['QueryExecutionId']]}"
        )


def _of_glue(operation: str, asked: Mapping[str, Any]) -> Iterator[str]:
    """A table is in a database, and both in the catalog; AWS asks for each of them."""
    if "JobName" in asked:
        yield f"job/{asked['JobName']}"
    elif database := asked.get("DatabaseName"):
        yield "catalog"
        yield f"database/{database}"
        yield f"table/{database}/{asked.get('TableInput', asked)['Name']}"
    elif "Workflow" in operation:
        yield f"workflow/{asked['Name']}"
    else:
        yield "catalog"
        yield f"database/{asked['Name']}"


def _namespace(sent: str) -> str:
    found = parse_qs(sent).get("Namespace") if "Namespace=" in sent else None
    return found[0] if found else json.loads(sent)["Namespace"]
