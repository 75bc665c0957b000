"""Invented employees: seeded, deterministic, and unique on (first_name, last_name, age) at any size.

The names, jobs and salary bands are in sample_people.json. People come in blocks of 65,536 that do not depend
on how many are asked for: the first 1,034 people of one seed are the same in a file of 10 million.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

COLUMNS = ("first_name", "last_name", "age", "department", "job_title", "salary", "hire_date")
KEY = ("first_name", "last_name", "age")
MAX_PEOPLE = 30_000_000  # the smallest script, Greek, can name about this many at its share
_BLOCK = 65_536
_YOUNGEST, _OLDEST, _YOUNGEST_HIRED = 17, 67, 16
_APPRENTICE_BELOW = 20

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def people(rows: int, on: date, seed: int) -> pa.Table:
    """`rows` employees as they are on that day, in memory."""
    return pa.concat_tables(people_in_blocks(rows, on, seed)).combine_chunks()


def people_in_blocks(rows: int, on: date, seed: int) -> Iterator[pa.Table]:
    """The same rows as `people`, at most 65,536 at a time."""
    if not 1 <= rows <= MAX_PEOPLE:
        raise ValueError(f"between 1 and {MAX_PEOPLE:,} people can be made, not {rows:,}")
    facts = json.loads(Path(__file__).with_suffix(".json").read_text("utf-8"))
    scripts = [_Names(number, seed, **names) for number, names in enumerate(facts["names"].values())]
    for number, start in enumerate(range(0, rows, _BLOCK)):
        rng = np.random.default_rng([seed, number])
        yield _block(rng, on, scripts, facts["departments"], leading=2 if number == 0 else 0)[: rows - start]


@dataclass
class _Names:
    """The people that one script can name, handed out once each: simple names first, then compound ones."""

    number: int
    seed: int
    weight: int
    first_joiner: str
    last_joiner: str
    first: Sequence[str]
    last: Sequence[str]
    taken: int = 0

    def take(self, count: int) -> tuple[pa.Array, pa.Array]:
        firsts, lasts, level_start, start = [], [], 0, self.taken
        self.taken += count
        for level, (first, last) in enumerate(self._levels):
            capacity = len(first) * len(last)
            places = np.arange(max(start - level_start, 0), min(self.taken - level_start, capacity))
            level_start += capacity
            if len(places):
                chosen = self._shuffled(level, capacity)[places]
                firsts.append(first.take(pa.array(chosen % len(first))))
                lasts.append(last.take(pa.array(chosen // len(first))))
        return pa.concat_arrays(firsts), pa.concat_arrays(lasts)

    @cached_property
    def _levels(self) -> list[tuple[pa.Array, pa.Array]]:
        first, last = pa.array(self.first), pa.array(self.last)
        two_firsts, two_lasts = _pairs(self.first, self.first_joiner), _pairs(self.last, self.last_joiner)
        levels = [(first, last), (two_firsts, last), (first, two_lasts), (two_firsts, two_lasts)]
        return [(a, b) for a, b in levels if len(a) * len(b) < 2**26]

    @cached_property
    def _orders(self) -> dict[int, npt.NDArray[np.uint32]]:
        return {}

    def _shuffled(self, level: int, capacity: int) -> npt.NDArray[np.uint32]:
        """The order in which a level's names are handed out; its first and last name, and theirs, lead."""
        if level not in self._orders:
            rng = np.random.default_rng([self.seed, 1 << 20, self.number, level])
            order = rng.permutation(np.arange(capacity, dtype=np.uint32))
            if level == 0:  # so that Zoë Núñez and Jean-Luc O'Brien are in every file
                lead = np.array([len(self.first), 1], dtype=np.uint32)
                order = np.concatenate([lead, order[~np.isin(order, lead)]])
            self._orders[level] = order
        return self._orders[level]


def _pairs(names: Sequence[str], joiner: str) -> pa.Array:
    """Every two different names as one, each once, and none that is itself a simple name."""
    simple = set(names)
    pairs = (a + joiner + b for a in names for b in names if a != b)
    return pa.array([pair for pair in dict.fromkeys(pairs) if pair not in simple])


def _block(
    rng: np.random.Generator, on: date, scripts: list[_Names], departments: dict[str, Any], leading: int
) -> pa.Table:
    script = _weighted(rng, [names.weight for names in scripts])
    script[:leading] = 0
    first_name, last_name = _names(script, scripts)
    age = np.clip(rng.triangular(_YOUNGEST, 33, 72, _BLOCK).astype(np.int64), _YOUNGEST, _OLDEST)
    department = _weighted(rng, [facts["weight"] for facts in departments.values()])
    level = _seniority(rng, age)
    titles = pa.array([title for facts in departments.values() for title in facts["titles"]])
    salaries = np.array([facts["salaries"] for facts in departments.values()])
    years_of_service = _years_of_service(rng, age)
    salary = salaries[department, level] * (1 + 0.008 * years_of_service) * rng.normal(1, 0.07, _BLOCK)
    days_of_service = (years_of_service * 365.25).astype(np.int64)
    columns = [
        first_name,
        last_name,
        pa.array(age),
        pa.array(list(departments)).take(pa.array(department)),
        titles.take(pa.array(department * salaries.shape[1] + level)),
        pa.array((salary / 10).astype(np.int64) * 10),
        pa.array(np.datetime64(on) - days_of_service.astype("timedelta64[D]")).cast(pa.date32()),
    ]
    return pa.table(columns, names=COLUMNS)


def _weighted(rng: np.random.Generator, weights: list[int]) -> Integers:
    return rng.choice(len(weights), _BLOCK, p=np.array(weights) / sum(weights))


def _names(script: Integers, scripts: list[_Names]) -> tuple[pa.Array, pa.Array]:
    by_script = np.argsort(script, kind="stable")
    taken = [names.take(int((script == names.number).sum())) for names in scripts]
    place = pa.array(np.argsort(by_script, kind="stable"))
    firsts, lasts = (pa.concat_arrays(arrays) for arrays in zip(*taken, strict=True))
    return firsts.take(place), lasts.take(place)


def _seniority(rng: np.random.Generator, age: Integers) -> Integers:
    """0 (apprentice) to 5 (chief): most stay at 2 or 3 however long they work, and few lead."""
    reached = (age - _APPRENTICE_BELOW) / 9
    ceiling = rng.choice([1, 2, 3, 4, 5], _BLOCK, p=[0.24, 0.36, 0.27, 0.11, 0.02])
    level = 1 + np.minimum(reached + rng.normal(0, 0.5, _BLOCK), ceiling - 1)
    return np.where(age < _APPRENTICE_BELOW, 0, np.clip(level, 1, 5)).astype(np.int64)


def _years_of_service(rng: np.random.Generator, age: Integers) -> Floats:
    """Most stay a few years; nobody was hired before the age of 16, whenever the birthday is."""
    years, at_most = rng.exponential(5.5, _BLOCK), age - _YOUNGEST_HIRED - 0.01
    return np.where(years <= at_most, years, at_most * rng.random(_BLOCK))
