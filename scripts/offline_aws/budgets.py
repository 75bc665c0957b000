"""AWS Budgets' control plane: what is kept of a budget can be read back and changed. Nothing costs."""

from __future__ import annotations

import json
from typing import Any

from moto.budgets.models import Budget
from moto.budgets.responses import BudgetsResponse
from moto.utilities.arns import parse_arn

from scripts.offline_aws.state import ServerState


def install(_: ServerState) -> None:
    create = BudgetsResponse.create_budget

    def budget_of(self: BudgetsResponse, name: str) -> Budget:
        account = self._get_param("AccountId")
        self.backend.describe_budget(account, name)  # AWS's error when there is none
        return self.backend.budgets[account][name]

    def create_with_tags(self: BudgetsResponse) -> str:
        answer = create(self)
        budget = budget_of(self, self._get_param("Budget")["BudgetName"])
        budget.tags = {tag["Key"]: tag["Value"] for tag in self._get_param("ResourceTags", [])}
        return answer

    def update_budget(self: BudgetsResponse) -> str:
        """The new budget takes the place of the old; its notifications are others' business."""
        new = self._get_param("NewBudget")
        budget = budget_of(self, new["BudgetName"])
        budget.budget |= new
        return "{}"

    def describe_subscribers_for_notification(self: BudgetsResponse) -> str:
        wanted = self._get_param("Notification")
        known = budget_of(self, self._get_param("BudgetName")).notifications
        found = [notification.subscribers for notification in known if _same(notification.details, wanted)]
        return json.dumps({"Subscribers": found[0] if found else []})

    def tags_of(self: BudgetsResponse) -> dict[str, str]:
        arn = parse_arn(self._get_param("ResourceARN"))
        return self.backend.budgets[arn.account][arn.resource_id].tags

    def list_tags_for_resource(self: BudgetsResponse) -> str:
        return json.dumps({"ResourceTags": [{"Key": k, "Value": v} for k, v in tags_of(self).items()]})

    def tag_resource(self: BudgetsResponse) -> str:
        tags_of(self).update({tag["Key"]: tag["Value"] for tag in self._get_param("ResourceTags")})
        return "{}"

    def untag_resource(self: BudgetsResponse) -> str:
        for key in self._get_param("ResourceTagKeys"):
            tags_of(self).pop(key, None)
        return "{}"

    BudgetsResponse.create_budget = create_with_tags
    BudgetsResponse.update_budget = update_budget
    BudgetsResponse.describe_subscribers_for_notification = describe_subscribers_for_notification
    BudgetsResponse.list_tags_for_resource = list_tags_for_resource
    BudgetsResponse.tag_resource = tag_resource
    BudgetsResponse.untag_resource = untag_resource


def _same(known: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether two notifications are one: their state is not part of what they are."""
    return {**known, "NotificationState": None} == {**wanted, "NotificationState": None}
