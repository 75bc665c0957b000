"""What is there of a stack in an account, by the type of Terraform's that made it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from scripts.offline_aws.server import ACCOUNT_ID
from tests.e2e.canary_places import Client, all_entries

# Types that are gone when another one is, which is said beside them.
_PARTS = {
    "aws_athena_named_query": "aws_athena_workgroup",
    "aws_cloudwatch_event_target": "aws_cloudwatch_event_rule",
    "aws_cloudwatch_log_metric_filter": "aws_cloudwatch_log_group",
    "aws_glue_catalog_table": "aws_glue_catalog_database",
    "aws_iam_role_policy": "aws_iam_role",
    "aws_iam_role_policy_attachment": "aws_iam_role",
    "aws_lakeformation_resource_lf_tags": "aws_lakeformation_lf_tag",
    "aws_lambda_function_event_invoke_config": "aws_lambda_function",
    "aws_s3_bucket_lifecycle_configuration": "aws_s3_bucket",
    "aws_s3_bucket_logging": "aws_s3_bucket",
    "aws_s3_bucket_notification": "aws_s3_bucket",
    "aws_s3_bucket_ownership_controls": "aws_s3_bucket",
    "aws_s3_bucket_policy": "aws_s3_bucket",
    "aws_s3_bucket_public_access_block": "aws_s3_bucket",
    "aws_s3_bucket_server_side_encryption_configuration": "aws_s3_bucket",
    "aws_s3_bucket_versioning": "aws_s3_bucket",
    "aws_s3_object": "aws_s3_bucket",
    "aws_sns_topic_policy": "aws_sns_topic",
}


def remains(client: Client, types: Iterable[str]) -> Mapping[str, list[str]]:
    """Names of what is there, per type; a type that nobody taught this module to look for is an error."""
    wanted = {_PARTS.get(kind, kind) for kind in types}
    assert wanted <= set(_LISTS), f"say in {__name__} how to list {sorted(wanted - set(_LISTS))}"
    return {kind: sorted(_LISTS[kind](client)) for kind in sorted(wanted)}


def _names(
    service: str, operation: str, field: str, name: str, **arguments: Any
) -> Callable[[Client], list[str]]:
    return lambda client: [
        entry[name] if name else entry
        for entry in all_entries(client(service), operation, field, **arguments)
    ]


def _keys(client: Client) -> list[str]:
    """Keys that nobody asked to delete: AWS waits for days before it does."""
    kms = client("kms")
    ours = [entry["KeyId"] for entry in all_entries(kms, "list_keys", "Keys")]
    described = [kms.describe_key(KeyId=key)["KeyMetadata"] for key in ours]
    return [key["Description"] for key in described if not key.get("DeletionDate")]


def _aliases(client: Client) -> list[str]:
    names = _names("kms", "list_aliases", "Aliases", "AliasName")(client)
    return [name for name in names if not name.startswith("alias/aws/")]


def _workgroups(client: Client) -> list[str]:
    names = _names("athena", "list_work_groups", "WorkGroups", "Name")(client)
    return [name for name in names if name != "primary"]  # each account has it


def _databases(client: Client) -> list[str]:
    return _names("glue", "get_databases", "DatabaseList", "Name")(client)


def _catalog_encryption(client: Client) -> list[str]:
    """An account always has the setting; what is there is an encryption."""
    answer = client("glue").get_data_catalog_encryption_settings()["DataCatalogEncryptionSettings"]
    mode = answer.get("EncryptionAtRest", {}).get("CatalogEncryptionMode", "DISABLED")
    return [] if mode == "DISABLED" else [mode]


def _budgets(client: Client) -> list[str]:
    return [
        budget["BudgetName"]
        for budget in client("budgets").describe_budgets(AccountId=ACCOUNT_ID).get("Budgets", ())
    ]


def _grants(client: Client) -> list[str]:
    answer = client("lakeformation").list_permissions()["PrincipalResourcePermissions"]
    return [repr(grant) for grant in answer]


def _settings(client: Client) -> list[str]:
    settings = client("lakeformation").get_data_lake_settings()["DataLakeSettings"]
    return [admin["DataLakePrincipalIdentifier"] for admin in settings.get("DataLakeAdmins", ())]


def _roles(client: Client) -> list[str]:
    roles = all_entries(client("iam"), "list_roles", "Roles")
    return [role["RoleName"] for role in roles if not role["Path"].startswith("/aws-service-role/")]


_LISTS: Mapping[str, Callable[[Client], list[str]]] = {
    "aws_athena_workgroup": _workgroups,
    "aws_budgets_budget": _budgets,
    "aws_cloudwatch_composite_alarm": _names(
        "cloudwatch", "describe_alarms", "CompositeAlarms", "AlarmName", AlarmTypes=["CompositeAlarm"]
    ),
    "aws_cloudwatch_dashboard": _names("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    "aws_cloudwatch_event_archive": _names("events", "list_archives", "Archives", "ArchiveName"),
    "aws_cloudwatch_event_rule": _names("events", "list_rules", "Rules", "Name"),
    "aws_cloudwatch_log_group": _names("logs", "describe_log_groups", "logGroups", "logGroupName"),
    "aws_cloudwatch_metric_alarm": _names("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    "aws_glue_catalog_database": _databases,
    "aws_glue_connection": _names("glue", "get_connections", "ConnectionList", "Name"),
    "aws_glue_crawler": _names("glue", "get_crawlers", "Crawlers", "Name"),
    "aws_glue_data_catalog_encryption_settings": _catalog_encryption,
    "aws_glue_job": _names("glue", "get_jobs", "Jobs", "Name"),
    "aws_glue_security_configuration": _names(
        "glue", "get_security_configurations", "SecurityConfigurations", "Name"
    ),
    "aws_glue_trigger": _names("glue", "get_triggers", "Triggers", "Name"),
    "aws_glue_workflow": lambda client: client("glue").list_workflows()["Workflows"],
    "aws_iam_policy": _names("iam", "list_policies", "Policies", "PolicyName", Scope="Local"),
    "aws_iam_role": _roles,
    "aws_kms_alias": _aliases,
    "aws_kms_key": _keys,
    "aws_lakeformation_data_lake_settings": _settings,
    "aws_lakeformation_data_cells_filter": lambda client: [
        entry["Name"] for entry in client("lakeformation").list_data_cells_filter()["DataCellsFilters"]
    ],
    "aws_lakeformation_lf_tag": lambda client: [
        tag["TagKey"] for tag in client("lakeformation").list_lf_tags()["LFTags"]
    ],
    "aws_lakeformation_permissions": _grants,
    "aws_lakeformation_resource": lambda client: [
        entry["ResourceArn"] for entry in client("lakeformation").list_resources()["ResourceInfoList"]
    ],
    "aws_lambda_event_source_mapping": _names(
        "lambda", "list_event_source_mappings", "EventSourceMappings", "EventSourceArn"
    ),
    "aws_lambda_function": _names("lambda", "list_functions", "Functions", "FunctionName"),
    "aws_s3_bucket": _names("s3", "list_buckets", "Buckets", "Name"),
    "aws_scheduler_schedule": _names("scheduler", "list_schedules", "Schedules", "Name"),
    "aws_sns_topic": _names("sns", "list_topics", "Topics", "TopicArn"),
    "aws_sns_topic_subscription": _names("sns", "list_subscriptions", "Subscriptions", "Endpoint"),
    "aws_sqs_queue": lambda client: client("sqs").list_queues().get("QueueUrls", []),
}
