"""Lambda functions are processes of the deployed zip."""

from __future__ import annotations

import base64
import json

import pytest
from botocore.exceptions import ClientError
from deployments import Deployer, an_archive, until

from scripts.offline_aws import lambda_runtime

pytestmark = pytest.mark.slow


@pytest.fixture
def deploy(client, bucket, role, name):
    return Deployer(client, bucket, role, name)


@pytest.fixture
def invoke(client):
    """The parsed answer of a synchronous call, and the response."""

    def call(function: str, event: object = None, **fields):
        response = client("lambda").invoke(FunctionName=function, Payload=json.dumps(event), **fields)
        return json.loads(response["Payload"].read() or "null"), response

    return call


def test_the_handler_of_the_deployed_zip_answers(deploy, invoke):
    """It gets the event and a context, with the function's environment and its role's credentials."""
    source = """
        import os, boto3
        def handler(event, context):
            return {
                "event": event, "greeting": os.environ["GREETING"], "log_stream": context.log_stream_name,
                "name": context.function_name, "arn": context.invoked_function_arn,
                "left": context.get_remaining_time_in_millis(), "memory": context.memory_limit_in_mb,
                "who": boto3.client("sts").get_caller_identity()["Arn"], "version": context.function_version,
                "region": os.environ["AWS_REGION"], "own": os.environ["AWS_LAMBDA_FUNCTION_NAME"],
            }
    """
    function = deploy.function("f", source, Environment={"Variables": {"GREETING": "hej"}}, MemorySize=256)
    answer, response = invoke(function, {"a": [1, "Zoë"]}, LogType="Tail")
    assert (response["StatusCode"], response["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in response
    assert 0 < answer.pop("left") <= 10_000
    assert answer.pop("log_stream").startswith("20")
    assert answer == {
        "event": {"a": [1, "Zoë"]},
        "greeting": "hej",
        "name": function,
        "own": function,
        "arn": f"arn:aws:lambda:us-east-1:123456789012:function:{function}",
        "memory": "256",
        "who": f"arn:aws:sts::123456789012:assumed-role/{deploy.name}-lambda/{function}",
        "version": "$LATEST",
        "region": "us-east-1",
    }
    tail = base64.b64decode(response["LogResult"]).decode()
    assert tail.startswith("START RequestId: ")
    assert "\nREPORT RequestId: " in tail


def test_an_exception_is_a_function_error(deploy, invoke, client):
    """FunctionError is Unhandled, the payload has the class, text and trace, and so has the log."""
    source = "def handler(event, context):\n    return {}[event['key']]\n"
    function = deploy.function("f", source)
    answer, response = invoke(function, {"key": "x"})
    assert (response["StatusCode"], response["FunctionError"]) == (200, "Unhandled")
    assert (answer["errorType"], answer["errorMessage"]) == ("KeyError", "'x'")
    assert len(answer["stackTrace"]) == 1
    assert "pkg/main.py" in answer["stackTrace"][0]
    events = client("logs").filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
    assert "[ERROR] KeyError: 'x'" in [event["message"] for event in events]


@pytest.mark.parametrize(
    ("source", "fields", "error_type", "message"),
    [
        ("def handler(e, c): return {1, 2}", {}, "Runtime.MarshalError", "not JSON serializable"),
        ("import nothing_like_it", {}, "Runtime.ImportModuleError", "No module named 'nothing_like_it'"),
        ("import scripts.offline_aws", {}, "Runtime.ImportModuleError", "No module named 'scripts'"),
        ("", {"Handler": "pkg.main.other"}, "Runtime.HandlerNotFound", "Handler 'other' missing"),
        ("", {"Handler": "pkg.elsewhere.f"}, "Runtime.ImportModuleError", "No module named 'pkg.elsewhere'"),
        ("def f(:", {}, "Runtime.UserCodeSyntaxError", "Syntax error in module 'pkg.main'"),
        ("import os\ndef handler(e, c): os._exit(3)", {}, "Runtime.ExitError", "exit status 3"),
        (
            "import time\ndef handler(e, c): time.sleep(30)",
            {"Timeout": 1},
            "Sandbox.Timedout",
            "Task timed out after 1.00 seconds",
        ),
    ],
)
def test_what_the_runtime_itself_reports(deploy, invoke, source, fields, error_type, message):
    """Code that cannot be loaded, run in time, or answered with is a function error of the runtime's."""
    answer, response = invoke(deploy.function("f", source, **fields))
    assert (response["FunctionError"], answer["errorType"]) == ("Unhandled", error_type)
    assert message in answer["errorMessage"]


def test_a_role_must_let_lambda_in(deploy, invoke, role):
    """A role whose trust policy names another service runs no function."""
    answer, response = invoke(deploy.function("f", "def handler(e, c): pass", Role=role("glue", "other")))
    assert (response["FunctionError"], answer["errorType"]) == ("Unhandled", "AccessDeniedException")


def test_an_update_of_the_code_is_what_runs_next(deploy, invoke, client):
    """Each invocation runs the code that is deployed then."""
    function = deploy.function("f", "def handler(e, c): return 1")
    assert invoke(function)[0] == 1
    client("lambda").update_function_code(
        FunctionName=function, ZipFile=an_archive(pkg__main="def handler(e, c): return 2")
    )
    assert invoke(function)[0] == 2


def test_a_dry_run_runs_nothing(deploy, client):
    """DryRun answers 204."""
    function = deploy.function("f", "raise SystemExit(1)")
    response = client("lambda").invoke(FunctionName=function, InvocationType="DryRun")
    assert response["StatusCode"] == 204


def test_an_unknown_function_is_not_found(client):
    """Invoke of what is not deployed is refused."""
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client("lambda").invoke(FunctionName="no-such-function")


def test_an_asynchronous_call_comes_back_at_once_and_is_retried(deploy, client, monkeypatch):
    """A function that fails is tried three times, and the event then goes to the dead letter queue."""
    monkeypatch.setattr(lambda_runtime, "ASYNC_RETRY_DELAY_SECONDS", 0.05)
    url, arn = deploy.queue("dead")
    source = f"""
        import boto3
        def handler(event, context):
            boto3.client("s3").put_object(Bucket="{deploy.bucket}", Key=f"tries/{{context.aws_request_id}}")
            raise ValueError("never")
    """
    function = deploy.function("f", source, DeadLetterConfig={"TargetArn": arn})
    response = client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload='{"a": 1}')
    assert (response["StatusCode"], response["Payload"].read()) == (202, b"")
    assert [json.loads(body) for body in until(lambda: deploy.bodies(url))] == [{"a": 1}]
    tries = client("s3").list_objects_v2(Bucket=deploy.bucket, Prefix="tries/")
    assert tries["KeyCount"] == 3


def test_sns_invokes_a_subscribed_function(deploy, client):
    """The function gets the notification in a record of aws:sns."""
    source = f"""
        import boto3
        def handler(event, context):
            body = event["Records"][0]["Sns"]["Message"]
            boto3.client("s3").put_object(Bucket="{deploy.bucket}", Key="got", Body=body)
    """
    function = deploy.function("f", source)
    topic = client("sns").create_topic(Name=deploy.name)["TopicArn"]
    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{function}"
    client("sns").subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    client("sns").publish(TopicArn=topic, Message="hello")
    assert until(lambda: stored(client, deploy, "got")) == b"hello"


def stored(client, deploy, key):
    found = client("s3").list_objects_v2(Bucket=deploy.bucket, Prefix=key).get("KeyCount")
    return found and client("s3").get_object(Bucket=deploy.bucket, Key=key)["Body"].read()
