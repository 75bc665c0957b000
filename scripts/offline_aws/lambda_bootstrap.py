"""Run one invocation of a Lambda handler, as the Python runtime of Lambda does.

    python -P lambda_bootstrap.py INVOCATION_FILE RESULT_FILE

INVOCATION_FILE holds {"task_root", "handler", "event", "context"}; RESULT_FILE gets {"payload"} or
{"error"}, both as Lambda answers them. Without RESULT_FILE the process died.
"""

import json
import os
import sys
import time


class Context:
    """The context object of Lambda's Python runtime, without its mobile client fields."""

    def __init__(self, deadline_ms, **facts):
        self._deadline_ms = deadline_ms
        self.__dict__.update(facts)
        self.identity = self.client_context = None

    def get_remaining_time_in_millis(self):
        return max(int(self._deadline_ms - time.time() * 1000), 0)

    def log(self, message):
        sys.stdout.write(str(message))


def main(invocation_file, result_file):
    with open(invocation_file, encoding="utf-8") as file:
        invocation = json.load(file)
    sys.path.insert(0, invocation["task_root"])
    request_id = invocation["context"]["aws_request_id"]
    try:
        result = {"payload": invoke(invocation)}
    except Failed as failed:
        result = {"error": {**failed.error, "requestId": request_id}}
    partial = result_file + ".partial"
    with open(partial, "w", encoding="utf-8") as file:
        json.dump(result, file)
    os.rename(partial, result_file)
    if "error" in result:
        report(result["error"])


class Failed(Exception):
    def __init__(self, error_type, message, stack_trace=()):
        super().__init__(message)
        self.error = {"errorMessage": message, "errorType": error_type, "stackTrace": list(stack_trace)}


def invoke(invocation):
    """The handler's answer as JSON text."""
    handler = load(invocation["handler"])
    try:
        answer = handler(invocation["event"], Context(**invocation["context"]))
    except Exception as error:
        raise Failed(type(error).__name__, str(error), frames(error)) from None
    try:
        return json.dumps(answer)
    except (TypeError, ValueError) as error:
        raise Failed("Runtime.MarshalError", f"Unable to marshal response: {error}") from None


def load(spec):
    import importlib

    module_name, _, function = spec.rpartition(".")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise Failed(
            "Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}"
        ) from None
    except SyntaxError as error:
        raise Failed(
            "Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}"
        ) from None
    except Exception as error:
        raise Failed(type(error).__name__, str(error), frames(error)) from None
    try:
        return getattr(module, function)
    except AttributeError:
        raise Failed(
            "Runtime.HandlerNotFound", f"Handler '{function}' missing on module '{module_name}'"
        ) from None


def frames(error):
    """The frames of the function's own code, formatted as Lambda does."""
    import traceback

    found = traceback.extract_tb(error.__traceback__)
    own = [f for f in found if f.filename != __file__ and "importlib" not in f.filename]
    return traceback.format_list(own)


def report(error):
    lines = [f"[ERROR] {error['errorType']}: {error['errorMessage']}"]
    if error["stackTrace"]:
        lines.append("Traceback (most recent call last):")
    sys.stdout.write("\n".join(lines) + "\n" + "".join(error["stackTrace"]))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
