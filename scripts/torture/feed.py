"""What is fed to the runs: files that are merged in a blink, with something of everything in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from scripts.sample_data import ROW_FAULTS, Day, Fault, Recipe, make_sample

EXPECTATIONS = Path(__file__).parents[2] / "expectations"
TODAY = date(2026, 11, 24)
YESTERDAY, BEFORE = TODAY - timedelta(days=1), TODAY - timedelta(days=2)
PEOPLE, KNOWN = 100, 30

# One or two of each kind suffice; Great Expectations takes longer than all calls of a gate together.
_KEPT = {"row_count_plausible", "row_count_usual", "age_between", "department_known", "salary_between"}


@cache
def expectations() -> Mapping[str, bytes]:
    """The expectations by key. New columns are let in, so a merge has to change the table's schema too."""
    paths = [path for path in sorted(EXPECTATIONS.rglob("*")) if path.is_file()]
    texts = {path.relative_to(EXPECTATIONS).as_posix(): path.read_text("utf-8") for path in paths}
    texts["employee/contract.yaml"] = texts["employee/contract.yaml"].replace(
        "value: reject", "value: evolve"
    )
    suite = json.loads(texts["employee/suite.json"])
    suite["expectations"] = [e for e in suite["expectations"] if e["meta"]["name"] in _KEPT]
    next(e for e in suite["expectations"] if e["meta"]["name"] == "row_count_plausible")["kwargs"][
        "min_value"
    ] = 10
    texts["employee/suite.json"] = json.dumps(suite)
    return {key: text.encode() for key, text in texts.items()}


@cache
def files() -> Mapping[str, tuple[date, bytes]]:
    """Batch date and content: a first day; the next one; a late one, for the day before both; a refused one.

    The next day has updates, inserts, duplicates, rejected and unparsable rows, and a new column. Of the late
    file's people 30 are in the table, with other salaries. The refused file lacks a column.
    """
    first = make_sample(Recipe(rows=PEOPLE, date=YESTERDAY)).content
    following = Recipe(rows=PEOPLE, date=TODAY, day=Day.NEXT, faults=ROW_FAULTS, change_every=20)
    header, *lines = make_sample(following).content.decode().splitlines()
    offices = ["Rome" if number % 25 == 0 else "" for number in range(len(lines))]
    nightly = [f"{header},office", *(f"{line},{office}" for line, office in zip(lines, offices, strict=True))]
    late = make_sample(Recipe(rows=PEOPLE - KNOWN, date=BEFORE, seed=8)).content.decode().splitlines()
    for line in first.decode().splitlines()[1 : KNOWN + 1]:
        before, salary, hired = line.rsplit(",", 2)
        late.append(f"{before},{int(salary) + 1},{hired}")
    return {
        "first": (YESTERDAY, first),
        "nightly": (TODAY, ("\n".join(nightly) + "\n").encode()),
        "backfill": (BEFORE, ("\n".join(late) + "\n").encode()),
        "refused": (TODAY, make_sample(Recipe(rows=20, date=TODAY, faults=(Fault.RENAMED_COLUMN,))).content),
    }


def names() -> frozenset[str]:
    """The last names in the files: what no message may hold."""
    lines = [line for _, content in files().values() for line in content.decode().splitlines()[1:]]
    return frozenset(line.split(",")[1] for line in lines)
