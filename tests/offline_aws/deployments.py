"""Small real deployments: zips, wheels, scripts and jobs, and a way to wait for what they do."""

from __future__ import annotations

import io
import textwrap
import time
import zipfile
from collections.abc import Callable
from typing import Any


def an_archive(**files: str) -> bytes:
    """A zip or wheel; `pkg__mod="…"` is the file pkg/mod.py, in a package."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        for package in sorted({name.partition("__")[0] for name in files if "__" in name}):
            zipped.writestr(f"{package}/__init__.py", "")
        for name, text in files.items():
            zipped.writestr(f"{name.replace('__', '/')}.py", textwrap.dedent(text))
    return buffer.getvalue()


def until(ask: Callable[[], Any], seconds: float = 20) -> Any:
    """The first true answer; fails the test when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return answer


class Deployer:
    """Puts scripts and functions where Terraform would, and creates what runs them."""

    def __init__(self, client: Callable[..., Any], bucket: str, role: Callable[..., str], name: str) -> None:
        self.client, self.bucket, self.role, self.name = client, bucket, role, name
        self._roles: dict[str, str] = {}

    def role_for(self, service: str) -> str:
        if service not in self._roles:
            self._roles[service] = self.role(service, service)
        return self._roles[service]

    def put(self, key: str, body: bytes | str) -> str:
        self.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body)
        return f"s3://{self.bucket}/{key}"

    def job(self, suffix: str, script: str, **fields: Any) -> str:
        """A Glue job that runs `script`; answers its name."""
        name = f"{self.name}-{suffix}"
        location = self.put(f"jobs/{suffix}.py", textwrap.dedent(script))
        self.client("glue").create_job(
            **{
                "Name": name,
                "Role": self.role_for("glue"),
                "Command": {"Name": "glueetl", "ScriptLocation": location, "PythonVersion": "3"},
                "GlueVersion": "5.1",
                "Timeout": 5,
                **fields,
            }
        )
        return name

    def function(self, suffix: str, source: str, **fields: Any) -> str:
        """A Lambda function of `handler(event, context)` in `source`; answers its name."""
        name = f"{self.name}-{suffix}"
        self.put(f"lambdas/{suffix}.zip", an_archive(pkg__main=source))
        self.client("lambda").create_function(
            **{
                "FunctionName": name,
                "Role": self.role_for("lambda"),
                "Runtime": "python3.13",
                "Handler": "pkg.main.handler",
                "Code": {"S3Bucket": self.bucket, "S3Key": f"lambdas/{suffix}.zip"},
                "Timeout": 10,
                **fields,
            }
        )
        return name

    def queue(self, suffix: str, **attributes: str) -> tuple[str, str]:
        """A queue's URL and ARN."""
        sqs = self.client("sqs")
        url = sqs.create_queue(QueueName=f"{self.name}-{suffix}", Attributes=attributes)["QueueUrl"]
        return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]

    def bodies(self, url: str) -> list[str]:
        """Bodies of the messages that can be seen in a queue now, taken out of it."""
        sqs = self.client("sqs")
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for message in found:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in found]

    def run_job(self, name: str, **arguments: Any) -> dict[str, Any]:
        """Start a run, wait for its end, and answer its description."""
        run_id = self.client("glue").start_job_run(JobName=name, **arguments)["JobRunId"]
        return self.ended(name, run_id)

    def ended(self, job: str, run_id: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            run = self.client("glue").get_job_run(JobName=job, RunId=run_id)["JobRun"]
            return None if run["JobRunState"] in ("STARTING", "RUNNING", "STOPPING") else run

        return until(look)

    def log(self, group: str, stream: str) -> str:
        events = self.client("logs").get_log_events(logGroupName=group, logStreamName=stream)["events"]
        return "\n".join(event["message"] for event in events)
