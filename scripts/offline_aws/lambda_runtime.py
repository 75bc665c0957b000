"""Lambda functions that run: the deployed zip, as a process, under the function's role."""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import shutil
import subprocess
import tempfile
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moto.awslambda.models import LambdaBackend, LambdaFunction
from moto.core.utils import utcnow
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from scripts.offline_aws.execution import (
    RoleNotAssumable,
    as_text,
    assume_service_role,
    clean_environment,
    ended_in_time,
    publish_log,
    python_command,
    unpack_once,
)
from scripts.offline_aws.guard import spawn_guarded
from scripts.offline_aws.service_metrics import record
from scripts.offline_aws.state import ServerState

log = logging.getLogger("offline_aws.lambda_runtime")

BOOTSTRAP = Path(__file__).parent / "lambda_bootstrap.py"
DEFAULT_TIMEOUT_SECONDS = 3
DEFAULT_ASYNC_RETRIES = 2
ASYNC_RETRY_DELAY_SECONDS = 1.0
"""AWS waits one minute, then two."""
LOG_TAIL_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Invocation:
    """How one invocation ended: the handler's answer, or the error document, as JSON text."""

    payload: str
    failed: bool
    log: str


class LambdaRuntime:
    def __init__(self, state: ServerState) -> None:
        self.state = state

    def invoke(self, function: LambdaFunction, event: Any) -> Invocation:
        """Run the handler once and wait for it."""
        request_id = str(uuid.uuid4())
        folder = Path(tempfile.mkdtemp(dir=self.state.tmp_dir, prefix="lambda-"))
        started = time.monotonic()
        try:
            payload, failed, output = self._run(function, event, request_id, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        took_ms = (time.monotonic() - started) * 1000
        text = (
            f"START RequestId: {request_id} Version: {_version(function)}\n{output}"
            f"END RequestId: {request_id}\n"
            f"REPORT RequestId: {request_id}\tDuration: {took_ms:.2f} ms\t"
            f"Memory Size: {function.memory_size} MB\n"
        )
        self._keep_log(function, request_id, text)
        of_function = {"FunctionName": function.function_name}
        record("AWS/Lambda", "Invocations", of_function, 1)
        record("AWS/Lambda", "Errors", of_function, int(failed))
        if failed:
            log.warning("%s failed: %s", function.function_name, payload)
        return Invocation(payload, failed, text)

    def invoke_later(self, function: LambdaFunction, event: Any) -> None:
        """An asynchronous invocation: retried when it fails, then given up to the DLQ, if there is one."""
        threading.Thread(
            target=self._invoke_with_retries, args=(function, event), name="lambda-event", daemon=True
        ).start()

    def _invoke_with_retries(self, function: LambdaFunction, event: Any) -> None:
        attempts = 1 + _async_retries(function)
        try:
            for attempt in range(1, attempts + 1):
                ended = self.invoke(function, event)
                if not ended.failed:
                    return
                if attempt < attempts:
                    time.sleep(ASYNC_RETRY_DELAY_SECONDS)
            self._give_up(function, event)
        except Exception:
            log.exception("%s: the offline AWS itself failed", function.function_name)

    def _give_up(self, function: LambdaFunction, event: Any) -> None:
        target = _dead_letter_target(function)
        if target is None:
            log.warning("%s: an event is lost, there is no dead letter target", function.function_name)
            return
        service, name = target.split(":")[2], target.rsplit(":", 1)[-1]
        if service == "sqs":
            queues = sqs_backends[self.state.account_id][self.state.region]
            queues.send_message(name, json.dumps(event))
        elif service == "sns":
            sns_backends[self.state.account_id][self.state.region].publish(json.dumps(event), arn=target)
        else:
            log.warning("%s: dead letter target %s is not emulated", function.function_name, target)

    def _run(
        self, function: LambdaFunction, event: Any, request_id: str, folder: Path
    ) -> tuple[str, bool, str]:
        try:
            credentials = assume_service_role(
                self.state, function.role, "lambda.amazonaws.com", function.function_name
            )
        except RoleNotAssumable:
            message = "The role defined for the function cannot be assumed by Lambda."
            return _error("AccessDeniedException", message), True, f"{message}\n"
        task_root = unpack_once(function.code_bytes, self.state.state_dir / "lambda")
        timeout = int(function.timeout or DEFAULT_TIMEOUT_SECONDS)
        context = {
            "deadline_ms": (time.time() + timeout) * 1000,
            "function_name": function.function_name,
            "function_version": _version(function),
            "invoked_function_arn": function.function_arn,
            "memory_limit_in_mb": str(function.memory_size),
            "aws_request_id": request_id,
            "log_group_name": _log_group(function),
            "log_stream_name": _log_stream(function, request_id),
        }
        work = folder / "work"
        work.mkdir()
        environment = {
            **clean_environment(self.state, credentials, work, [task_root]),
            **as_text(function.environment_vars),
            "_HANDLER": function.handler or "",
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
            "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
            "AWS_LAMBDA_FUNCTION_VERSION": _version(function),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
            "AWS_LAMBDA_LOG_GROUP_NAME": context["log_group_name"],
            "AWS_LAMBDA_LOG_STREAM_NAME": context["log_stream_name"],
            "LAMBDA_TASK_ROOT": str(task_root),
        }
        invocation = {
            "task_root": str(task_root), "handler": function.handler, "event": event, "context": context
        }  # fmt: skip
        (folder / "invocation.json").write_text(json.dumps(invocation), encoding="utf-8")
        result, output = folder / "result.json", folder / "output.log"
        command = python_command(BOOTSTRAP, str(folder / "invocation.json"), str(result))
        with output.open("wb") as sink:
            process = spawn_guarded(command, environment, work, sink, subprocess.STDOUT)
            in_time = ended_in_time(process, timeout)
        return *_outcome(result, in_time, timeout, request_id, process.returncode), _read(output)

    def _keep_log(self, function: LambdaFunction, request_id: str, text: str) -> None:
        with (self.state.logs_dir / f"lambda-{function.function_name}.log").open(
            "a", encoding="utf-8"
        ) as file:
            file.write(text)
        publish_log(self.state, _log_group(function), _log_stream(function, request_id), text)


def _outcome(result: Path, in_time: bool, timeout: int, request_id: str, returncode: int) -> tuple[str, bool]:
    if not in_time:
        message = f"RequestId: {request_id} Error: Task timed out after {timeout:.2f} seconds"
        return _error("Sandbox.Timedout", message), True
    with contextlib.suppress(FileNotFoundError):
        answer = json.loads(result.read_text(encoding="utf-8"))
        if "error" in answer:
            return json.dumps(answer["error"]), True
        return answer["payload"], False
    message = f"RequestId: {request_id} Error: Runtime exited with error: exit status {returncode}"
    return _error("Runtime.ExitError", message), True


def _error(error_type: str, message: str) -> str:
    return json.dumps({"errorType": error_type, "errorMessage": message})


def _read(file: Path) -> str:
    text = file.read_text(encoding="utf-8", errors="replace")
    return text if not text or text.endswith("\n") else text + "\n"


def _version(function: LambdaFunction) -> str:
    # moto numbers the unpublished version 1 where Lambda says $LATEST.
    return "$LATEST" if ":" not in function.function_arn.split(":function:")[-1] else str(function.version)


def _log_stream(function: LambdaFunction, request_id: str) -> str:
    return f"{utcnow():%Y/%m/%d}/[{_version(function)}]{request_id.replace('-', '')}"


def _async_retries(function: LambdaFunction) -> int:
    for config in function.event_invoke_config:
        retries = config.response().get("MaximumRetryAttempts")
        if retries is not None:
            return int(retries)
    return DEFAULT_ASYNC_RETRIES


def _dead_letter_target(function: LambdaFunction) -> str | None:
    return (_kept(function, "DeadLetterConfig")).get("TargetArn") or None


def _log_group(function: LambdaFunction) -> str:
    return _kept(function, "LoggingConfig").get("LogGroup") or function.logs_group_name


def _kept(function: LambdaFunction, field: str) -> dict[str, Any]:
    """A part of the configuration that lambda_control keeps because moto drops it."""
    return getattr(function, "kept", {}).get(field) or {}


_runtime: LambdaRuntime | None = None


def lambda_runtime() -> LambdaRuntime:
    """The runtime of the server in this process; events, schedules and mappings invoke with it."""
    assert _runtime is not None, "install() comes first"
    return _runtime


def install(state: ServerState) -> None:
    global _runtime
    runtime = _runtime = LambdaRuntime(state)

    def invoke(self: LambdaFunction, body: Any, request_headers: Any, response_headers: Any) -> bytes:
        kind = request_headers.get("X-Amz-Invocation-Type") or request_headers.get("x-amz-invocation-type")
        event = json.loads(body) if body else {}
        response_headers["x-amz-executed-version"] = _version(self)
        if kind == "DryRun":
            return b""
        if kind == "Event":
            runtime.invoke_later(self, event)
            return b""
        ended = runtime.invoke(self, event)
        if ended.failed:
            response_headers["x-amz-function-error"] = "Unhandled"
        tail = ended.log.encode()[-LOG_TAIL_BYTES:]
        response_headers["x-amz-log-result"] = base64.b64encode(tail).decode()
        return ended.payload.encode()

    def send_sns_message(
        self: LambdaBackend,
        function_name: str,
        message: str,
        subject: str | None = None,
        qualifier: str | None = None,
    ) -> None:
        function = self._lambdas.get_function_by_name_or_arn_with_qualifier(function_name, qualifier)
        runtime.invoke_later(function, {"Records": [_sns_record(message, subject)]})

    LambdaFunction.invoke = invoke
    LambdaBackend.send_sns_message = send_sns_message
    from scripts.offline_aws import event_source_mappings

    event_source_mappings.install(state, runtime)


def _sns_record(message: str, subject: str | None) -> dict[str, Any]:
    notification = {
        "Type": "Notification",
        "MessageId": str(uuid.uuid4()),
        "Subject": subject,
        "Message": message,
        "Timestamp": f"{utcnow():%Y-%m-%dT%H:%M:%S.000Z}",
        "MessageAttributes": {},
    }
    return {"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": notification}
