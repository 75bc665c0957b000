"""Run a Glue script as `__main__`, and say how it failed the way Glue says it.

    python -P runner.py ERROR_FILE SCRIPT --name value …

Exits as the script does. When an exception ends it, ERROR_FILE gets the text that GetJobRun answers
as ErrorMessage: the class and the message. Only what runpy itself imports is loaded before the script.
"""

import runpy
import sys


def main(error_file: str, script: str, arguments: list[str]) -> int:
    sys.argv = [script, *arguments]
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as stop:
        if stop.code is None or stop.code == 0:
            return 0
        report(error_file, f"SystemExit: {stop.code}")
        if isinstance(stop.code, int):
            return stop.code & 0xFF or 1
        sys.stderr.write(f"{stop.code}\n")
        return 1
    except BaseException as error:
        import traceback

        # The first frames are this file and runpy, which no reader of a job's log asked for.
        frames = [
            frame
            for frame in traceback.extract_tb(error.__traceback__)
            if frame.filename != __file__ and "runpy" not in frame.filename
        ]
        sys.stderr.write("Traceback (most recent call last):\n")
        sys.stderr.writelines(traceback.format_list(frames))
        sys.stderr.writelines(traceback.format_exception_only(error))
        report(error_file, f"{type(error).__name__}: {error}")
        return 1
    return 0


def report(error_file: str, message: str) -> None:
    with open(error_file, "w", encoding="utf-8") as file:
        file.write(message)


if __name__ == "__main__":
    code = main(sys.argv[1], sys.argv[2], sys.argv[3:])
    sys.exit(code)
