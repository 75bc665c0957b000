"""One program of the gate's benchmark on one file; prints its figures as the last line, as JSON.

python -m scripts.bench.gate_programs lakegate rows.arrow 2026-11-24
"""

import json
import logging
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from scripts.bench.measured import forget_peak, peak_rss_mb

EXPECTATIONS = Path(__file__).parents[2] / "expectations" / "employee"
_COUNT = 24


def suite_text() -> str:
    """The employee suite without what GX's gallery does not have and what needs a run history."""
    suite = json.loads((EXPECTATIONS / "suite.json").read_text("utf-8"))
    suite["expectations"] = [
        entry
        for entry in suite["expectations"]
        if entry["type"] != "expect_column_pair_age_on_date_to_be_at_least"
        and "usual_" not in json.dumps(entry["kwargs"])
    ]
    if len(suite["expectations"]) != _COUNT:
        raise SystemExit(f"the suite has {len(suite['expectations'])} such expectations, not {_COUNT}")
    return json.dumps(suite)


def run_lakegate(data: Path, on: date) -> Callable[[], int]:
    """The gate's own validation, redaction included."""
    from pyarrow import feather

    from etl.contract import load_contract
    from etl.quality.suite import load_suite
    from etl.quality.validate import validate_rows

    contract = load_contract((EXPECTATIONS / "contract.yaml").read_text("utf-8"), "contract.yaml")
    suite = load_suite(suite_text(), "suite.json", contract)
    rows = feather.read_table(data, memory_map=False)

    def validate() -> int:
        outcomes = validate_rows(rows, suite, contract, on).outcomes
        return sum(outcome.unexpected_count for outcome in outcomes)

    return validate


def run_gx_pandas(data: Path, on: date) -> Callable[[], int]:
    """GX's own engine and validator over pandas, at their leanest: no data context, no values of bad rows."""
    import great_expectations as gx
    from great_expectations.execution_engine import PandasExecutionEngine
    from great_expectations.validator.validator import Validator
    from pyarrow import feather

    from etl.quality.frame import to_frame
    from etl.quality.validate import date_parameters

    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
    suite = gx.ExpectationSuite(**json.loads(suite_text()))
    frame = to_frame(feather.read_table(data, memory_map=False))
    # As pandas reads integers with nulls by itself. GX would walk through Int64 in Python: this favours it.
    frame = frame.astype({name: "float64" for name, kind in frame.dtypes.items() if str(kind) == "Int64"})
    form = {"result_format": "COMPLETE", "exclude_unexpected_values": True, "partial_unexpected_count": 0}

    def validate() -> int:
        validator = Validator(execution_engine=PandasExecutionEngine(batch_data_dict={"batch": frame}))
        configurations = validator.process_expectations_for_validation(
            [expectation.configuration for expectation in suite.expectations], date_parameters(on)
        )
        results = validator.graph_validate(configurations, {"result_format": form})
        return sum(int(result.result.get("unexpected_count") or 0) for result in results)

    return validate


def run_floor(data: Path, on: date) -> Callable[[], int]:
    """The same checks as Polars expressions, written by hand for this suite alone."""
    import polars as pl

    frame = pl.read_ipc(data)
    column = pl.col
    suite = {entry["meta"]["name"]: entry["kwargs"] for entry in json.loads(suite_text())["expectations"]}
    spelling = suite["first_name_spelling"]["regex"].replace("\\Z", "\\z")
    key = suite["key_unique"]["column_list"]
    bad = {f"{name}_null": column(name).is_null() for name in frame.columns}
    for name in ("first_name", "last_name", "job_title"):
        bounds = suite[f"{name}_length"]
        bad[f"{name}_length"] = ~column(name).str.len_chars().is_between(
            bounds["min_value"], bounds["max_value"]
        )
    for name in ("first_name", "last_name"):
        bad[f"{name}_spelling"] = ~column(name).str.contains(spelling)
    for name in ("age", "salary"):
        bounds = suite[f"{name}_between"]
        bad[f"{name}_between"] = ~column(name).is_between(bounds["min_value"], bounds["max_value"])
    bad["hire_date"] = ~column("hire_date").is_between(date(1960, 1, 1), on)
    bad["department"] = ~column("department").is_in(suite["department_known"]["value_set"])
    whole = pl.all_horizontal(column(name).is_not_null() for name in key)
    bad["key_unique"] = pl.struct(key).is_duplicated() & whole

    def validate() -> int:
        masks = frame.select(**bad, mean=column("salary").mean())
        rows = {name: masks[name].arg_true() for name in bad}
        return sum(len(positions) for positions in rows.values())

    return validate


def main() -> None:
    programs = {"lakegate": run_lakegate, "gx-pandas": run_gx_pandas, "floor": run_floor}
    program, data, on = sys.argv[1:]
    validate = programs[program](Path(data), date.fromisoformat(on))
    forget_peak()
    started = time.monotonic()
    failed_rows = validate()
    seconds = time.monotonic() - started
    print(json.dumps({"seconds": seconds, "peak_rss_mb": peak_rss_mb(), "failed_rows": failed_rows}))


if __name__ == "__main__":
    main()
