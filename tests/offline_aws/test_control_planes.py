"""What Terraform asks of the services, and moto alone answers wrongly or not at all."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from botocore.exceptions import ClientError


def without(document, *fields):
    return {key: value for key, value in document.items() if key not in fields}


class TestGlueJobs:
    def test_update_overwrites_the_definition(self, client, role, name):
        """UpdateJob replaces the whole definition: what it leaves out is gone."""
        glue = client("glue")
        first = {
            "Role": role("glue"),
            "Command": {"Name": "glueetl", "ScriptLocation": "s3://bucket/one.py", "PythonVersion": "3"},
            "DefaultArguments": {"--dataset": "employee"},
            "GlueVersion": "5.1",
            "Description": "first",
            "WorkerType": "G.1X",
            "NumberOfWorkers": 2,
            "JobRunQueuingEnabled": True,
        }
        glue.create_job(Name=name, **first)
        created = glue.get_job(JobName=name)["Job"]
        assert created["JobRunQueuingEnabled"] is True
        assert "ExecutionClass" not in created
        update = {**without(first, "Description", "JobRunQueuingEnabled"), "Timeout": 10}
        update["Command"] = {**first["Command"], "ScriptLocation": "s3://bucket/two.py"}
        glue.update_job(JobName=name, JobUpdate=update)
        job = glue.get_job(JobName=name)["Job"]
        assert (job["Command"]["ScriptLocation"], job["Timeout"]) == ("s3://bucket/two.py", 10)
        assert "Description" not in job
        assert "JobRunQueuingEnabled" not in job

    def test_update_of_a_missing_job(self, client, role):
        """UpdateJob of a job that does not exist answers EntityNotFoundException."""
        with pytest.raises(ClientError, match="EntityNotFoundException"):
            client("glue").update_job(JobName="nobody", JobUpdate={"Role": "r", "Command": {}})


class TestGlueTriggers:
    def test_update_overwrites_actions_and_predicate(self, client, role, name):
        """UpdateTrigger replaces actions, predicate and description, and keeps type and state."""
        glue = client("glue")
        condition = {"LogicalOperator": "EQUALS", "JobName": "gate", "State": "SUCCEEDED"}
        glue.create_trigger(
            Name=name,
            Type="CONDITIONAL",
            Description="first",
            Predicate={"Conditions": [condition]},
            Actions=[{"JobName": "merge"}],
            StartOnCreation=True,
        )
        update = {
            "Predicate": {"Conditions": [{**condition, "State": "FAILED"}]},
            "Actions": [{"CrawlerName": "raw"}],
        }
        trigger = glue.update_trigger(Name=name, TriggerUpdate=update)["Trigger"]
        assert trigger["Actions"] == [{"CrawlerName": "raw"}]
        assert trigger["Predicate"]["Conditions"][0]["State"] == "FAILED"
        assert (trigger["Type"], trigger["State"]) == ("CONDITIONAL", "ACTIVATED")
        assert "Description" not in trigger


class TestGlueCrawlers:
    def test_update_changes_what_is_given(self, client, role, name):
        """UpdateCrawler keeps what it is not given, and crawlers keep their Lake Formation configuration."""
        glue = client("glue")
        targets = {"S3Targets": [{"Path": "s3://bucket/employee/"}]}
        governed = {"UseLakeFormationCredentials": True, "AccountId": "123456789012"}
        glue.create_crawler(
            Name=name,
            Role=role("glue"),
            DatabaseName="raw",
            Targets=targets,
            LakeFormationConfiguration=governed,
        )
        glue.update_crawler(Name=name, TablePrefix="raw_")
        crawler = glue.get_crawler(Name=name)["Crawler"]
        assert crawler["TablePrefix"] == "raw_"
        assert crawler["Targets"]["S3Targets"][0]["Path"] == "s3://bucket/employee/"
        assert crawler["LakeFormationConfiguration"] == governed


class TestS3:
    def test_event_bridge_configuration_is_read_back(self, client, bucket):
        """GetBucketNotificationConfiguration answers an EventBridge configuration that was put."""
        s3 = client("s3")
        assert "EventBridgeConfiguration" not in s3.get_bucket_notification_configuration(Bucket=bucket)
        s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
        assert "EventBridgeConfiguration" in s3.get_bucket_notification_configuration(Bucket=bucket)

    def test_versions_are_listed_after_a_marker_that_is_no_key(self, client, bucket):
        """S3 begins with the first key after the marker, which need not be one itself."""
        s3 = client("s3")
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        for key in ("a/1", "a/2", "a/2", "b/1"):
            s3.put_object(Bucket=bucket, Key=key, Body=b"1")
        for marker, keys in (("a/1", ["a/2", "a/2"]), ("a/15", ["a/2", "a/2"]), ("a/2", [])):
            answer = s3.list_object_versions(Bucket=bucket, Prefix="a/", KeyMarker=marker)
            assert [version["Key"] for version in answer.get("Versions", [])] == keys

    def test_a_deny_of_plain_http_lets_requests_through(self, client, bucket):
        """A Deny applies where its condition is met; requests here count as made over TLS."""
        s3 = client("s3")
        statement = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        s3.put_bucket_policy(
            Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": statement})
        )
        s3.put_object(Bucket=bucket, Key="a", Body=b"1")
        assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"1"

    def test_a_plain_deny_denies(self, client, bucket):
        """A Deny for everybody, without a condition, is obeyed."""
        s3 = client("s3")
        statement = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:PutObject",
            "Resource": f"arn:aws:s3:::{bucket}/*",
        }
        s3.put_bucket_policy(
            Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        )
        with pytest.raises(ClientError, match="403"):
            s3.put_object(Bucket=bucket, Key="a", Body=b"1")

    def test_logging_to_a_bucket_whose_policy_names_everybody(self, client, bucket):
        """PutBucketLogging reads past statements whose principal is "*"."""
        s3 = client("s3")
        statements = [
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": f"arn:aws:s3:::{bucket}/*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
            {
                "Effect": "Allow",
                "Principal": {"Service": "logging.s3.amazonaws.com"},
                "Action": "s3:PutObject",
                "Resource": f"arn:aws:s3:::{bucket}/*",
            },
        ]
        policy = {"Version": "2012-10-17", "Statement": statements}
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
        s3.put_bucket_logging(
            Bucket=bucket,
            BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": bucket, "TargetPrefix": "logs/"}},
        )
        assert s3.get_bucket_logging(Bucket=bucket)["LoggingEnabled"]["TargetPrefix"] == "logs/"

    def test_a_bucket_is_emptied_after_its_versioning_was_taken_away(self, client, bucket):
        """A destroy suspends versioning first, and then deletes every version and every delete marker."""
        s3 = client("s3")
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        s3.put_object(Bucket=bucket, Key="a", Body=b"once")
        s3.delete_object(Bucket=bucket, Key="a")
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
        listed = s3.list_object_versions(Bucket=bucket)
        versions = (*listed["Versions"], *listed["DeleteMarkers"])
        named = [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in versions]
        s3.delete_objects(Bucket=bucket, Delete={"Objects": named})
        s3.delete_bucket(Bucket=bucket)


class TestSqs:
    def test_redrive_policy_comes_back_compact(self, client, name):
        """A redrive policy is answered without spaces, as it is stored."""
        sqs = client("sqs")
        sqs.create_queue(QueueName=f"{name}-dlq")
        policy = (
            f'{{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:123456789012:{name}-dlq","maxReceiveCount":3}}'
        )
        url = sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": policy})["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]
        assert attributes["RedrivePolicy"] == policy

    def test_an_update_keeps_the_policy(self, client, name):
        """SetQueueAttributes changes the attributes it is given, and no others."""
        sqs = client("sqs")
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": "*",
        }
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        url = sqs.create_queue(QueueName=name, Attributes={"Policy": json.dumps(policy)})["QueueUrl"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "7"})
        answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert json.loads(answer["Policy"]) == policy
        assert answer["VisibilityTimeout"] == "7"
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
        assert "Policy" not in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]

    def test_redrive_allow_policy_is_kept(self, client, name):
        """A queue answers which queues may use it for dead letters, and no redrive policy of its own."""
        policy = '{"redrivePermission":"denyAll"}'
        url = client("sqs").create_queue(QueueName=name, Attributes={"RedriveAllowPolicy": policy})[
            "QueueUrl"
        ]
        answer = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert answer["RedriveAllowPolicy"] == policy
        assert "RedrivePolicy" not in answer


class TestSns:
    @pytest.fixture
    def topic(self, client, name):
        arn = client("sns").create_topic(Name=name)["TopicArn"]
        client("sns").subscribe(TopicArn=arn, Protocol="email", Endpoint=f"{name}@example.com")
        return arn

    @pytest.fixture
    def inbox(self, offline_aws, name):
        def read():
            mails = sorted(offline_aws.state.outbox_dir.glob("*.txt"))
            texts = [mail.read_text(encoding="utf-8") for mail in mails]
            return [text for text in texts if text.startswith(f"To: {name}@example.com\n")]

        return read

    def test_published_messages_are_mailed(self, client, topic, inbox):
        """An e-mail subscription gets subject and message as text."""
        client("sns").publish(TopicArn=topic, Subject="Gate rejected", Message="Zoë's batch\nline 2")
        [mail] = inbox()
        headers, _, body = mail.partition("\n\n")
        assert "Subject: Gate rejected" in headers.splitlines()
        assert body == "Zoë's batch\nline 2\n"

    def test_batches_are_mailed(self, client, topic, inbox):
        """Each entry of PublishBatch is a message of its own."""
        entries = [{"Id": str(n), "Subject": f"s{n}", "Message": f"m{n}"} for n in range(3)]
        client("sns").publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
        assert [mail.rpartition("\n\n")[2] for mail in inbox()] == ["m0\n", "m1\n", "m2\n"]

    def test_filtered_messages_are_not(self, client, topic, inbox):
        """A subscription's filter policy applies to e-mail, too."""
        sns = client("sns")
        [subscription] = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
        sns.set_subscription_attributes(
            SubscriptionArn=subscription["SubscriptionArn"],
            AttributeName="FilterPolicy",
            AttributeValue=json.dumps({"severity": ["critical"]}),
        )
        for severity in ("info", "critical"):
            attributes = {"severity": {"DataType": "String", "StringValue": severity}}
            sns.publish(TopicArn=topic, Message=severity, MessageAttributes=attributes)
        assert [mail.rpartition("\n\n")[2] for mail in inbox()] == ["critical\n"]


class TestCloudWatch:
    def test_composite_alarms(self, client, name):
        """PutCompositeAlarm makes an alarm that DescribeAlarms lists among the composite ones."""
        cloudwatch = client("cloudwatch")
        cloudwatch.put_composite_alarm(AlarmName=name, AlarmRule='ALARM("other")', AlarmDescription="d")
        answer = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["CompositeAlarm"])
        assert [alarm["AlarmRule"] for alarm in answer["CompositeAlarms"]] == ['ALARM("other")']
        cloudwatch.delete_alarms(AlarmNames=[name])
        assert not cloudwatch.describe_alarms(AlarmNames=[name])["CompositeAlarms"]

    def test_an_update_keeps_the_state(self, client, name):
        """A new alarm has INSUFFICIENT_DATA; putting it again leaves its state unchanged."""
        cloudwatch = client("cloudwatch")
        alarm = {
            "AlarmName": name,
            "Namespace": "Lakegate",
            "MetricName": "RowsRead",
            "ComparisonOperator": "LessThanThreshold",
            "EvaluationPeriods": 1,
            "Period": 60,
            "Statistic": "Sum",
            "Threshold": 1.0,
        }

        def state():
            return cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"]

        cloudwatch.put_metric_alarm(**alarm)
        assert state() == "INSUFFICIENT_DATA"
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="test")
        cloudwatch.put_metric_alarm(**{**alarm, "Threshold": 2.0})
        assert state() == "ALARM"


class TestLogs:
    def test_a_metric_filter_is_replaced(self, client, name):
        """PutMetricFilter of a known name updates that filter."""
        logs = client("logs")
        logs.create_log_group(logGroupName=name)
        transformation = {"metricName": "Errors", "metricNamespace": "Lakegate", "metricValue": "1"}
        for pattern in ("ERROR", "FATAL"):
            logs.put_metric_filter(
                logGroupName=name,
                filterName="errors",
                filterPattern=pattern,
                metricTransformations=[transformation],
            )
        filters = logs.describe_metric_filters(logGroupName=name)["metricFilters"]
        assert [found["filterPattern"] for found in filters] == ["FATAL"]


class TestAthena:
    def test_work_groups_are_updated(self, client, name):
        """UpdateWorkGroup changes the fields it is given and takes away those it is told to."""
        athena = client("athena")
        result = {"OutputLocation": "s3://one/", "ExpectedBucketOwner": "123456789012"}
        configuration = {"ResultConfiguration": result, "BytesScannedCutoffPerQuery": 10_000_000}
        athena.create_work_group(Name=name, Description="first", Configuration=configuration)
        athena.update_work_group(
            WorkGroup=name,
            ConfigurationUpdates={
                "RemoveBytesScannedCutoffPerQuery": True,
                "ResultConfigurationUpdates": {
                    "OutputLocation": "s3://two/",
                    "RemoveExpectedBucketOwner": True,
                },
            },
        )
        group = athena.get_work_group(WorkGroup=name)["WorkGroup"]
        assert group["Description"] == "first"
        assert group["Configuration"]["ResultConfiguration"] == {"OutputLocation": "s3://two/"}
        assert "BytesScannedCutoffPerQuery" not in group["Configuration"]

    def test_named_queries_are_updated_and_deleted(self, client, name):
        """A named query can be changed and deleted, and is missed afterwards."""
        athena = client("athena")
        created = athena.create_named_query(Name=name, Database="d", QueryString="select 1")
        identifier = {"NamedQueryId": created["NamedQueryId"]}
        athena.update_named_query(**identifier, Name=name, QueryString="select 2")
        assert athena.get_named_query(**identifier)["NamedQuery"]["QueryString"] == "select 2"
        athena.delete_named_query(**identifier)
        with pytest.raises(ClientError, match="is not found"):
            athena.get_named_query(**identifier)

    def test_a_deleted_work_group_is_missed(self, client, name):
        """GetWorkGroup of a group that is gone answers InvalidRequestException."""
        athena = client("athena")
        athena.create_work_group(Name=name)
        athena.delete_work_group(WorkGroup=name, RecursiveDeleteOption=True)
        with pytest.raises(ClientError, match="InvalidRequestException"):
            athena.get_work_group(WorkGroup=name)


class TestLambda:
    def test_configuration_is_kept(self, client, role, name):
        """A function answers its dead letter queue, logging and tracing, and takes updates of them."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("code.py", "def handler(event, context): ...")
        aws_lambda = client("lambda")
        queue = {"TargetArn": f"arn:aws:sqs:us-east-1:123456789012:{name}"}
        aws_lambda.create_function(
            FunctionName=name,
            Role=role("lambda"),
            Runtime="python3.13",
            Handler="code.handler",
            Code={"ZipFile": packed.getvalue()},
            DeadLetterConfig=queue,
            Architectures=["arm64"],
        )
        configuration = aws_lambda.get_function_configuration(FunctionName=name)
        assert configuration["DeadLetterConfig"] == queue
        assert configuration["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"}
        aws_lambda.update_function_configuration(
            FunctionName=name, TracingConfig={"Mode": "Active"}, LoggingConfig={"LogFormat": "JSON"}
        )
        configuration = aws_lambda.get_function_configuration(FunctionName=name)
        assert configuration["TracingConfig"] == {"Mode": "Active"}
        assert configuration["LoggingConfig"]["LogFormat"] == "JSON"
        assert configuration["DeadLetterConfig"] == queue


class TestBudgets:
    def test_a_budget_answers_what_it_was_told(self, client, name):
        """Limit, tags and whom a notification tells can be read back, changed and removed."""
        budgets, account = client("budgets"), {"AccountId": "123456789012"}
        arn = f"arn:aws:budgets::123456789012:budget/{name}"
        budget = {"BudgetName": name, "BudgetType": "COST", "TimeUnit": "MONTHLY"}
        limit = {"BudgetLimit": {"Amount": "5", "Unit": "USD"}}
        tags = [{"Key": "project", "Value": "x"}]
        budgets.create_budget(Budget=budget | limit, ResourceTags=tags, **account)
        notification = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80.0}
        told = [{"SubscriptionType": "EMAIL", "Address": "a@example.com"}]
        asked = {"BudgetName": name, "Notification": notification, **account}
        budgets.create_notification(Subscribers=told, **asked)
        assert budgets.describe_subscribers_for_notification(**asked)["Subscribers"] == told
        assert budgets.list_tags_for_resource(ResourceARN=arn)["ResourceTags"] == tags
        budgets.untag_resource(ResourceARN=arn, ResourceTagKeys=["project"])
        budgets.tag_resource(ResourceARN=arn, ResourceTags=[{"Key": "b", "Value": "y"}])
        assert budgets.list_tags_for_resource(ResourceARN=arn)["ResourceTags"] == [{"Key": "b", "Value": "y"}]
        more = {"BudgetLimit": {"Amount": "9", "Unit": "USD"}}
        budgets.update_budget(NewBudget=budget | more, **account)
        found = budgets.describe_budget(BudgetName=name, **account)["Budget"]
        assert found["BudgetLimit"]["Amount"] == "9"
        assert budgets.describe_notifications_for_budget(BudgetName=name, **account)["Notifications"]
