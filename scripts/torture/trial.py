"""One interrupted run, taken up again, and what is found afterwards."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from scripts.torture import judge
from scripts.torture.interference import Call, Interference, Plan
from scripts.torture.judge import Rows
from scripts.torture.points import FAULTS, KILLS, Effect, Point, Step, Variant
from scripts.torture.processes import KILLED, ForkServer, Job
from scripts.torture.world import Saved, World

_NO_END = 10**9
_ERROR_SHOWN = 300


@dataclass(slots=True)
class Running:
    job: Job
    plan: Plan


class Trials:
    """Tries points on one world. The uninterrupted runs that they are compared with come first."""

    def __init__(
        self, world: World, interference: Interference, server: ForkServer, environment: Mapping[str, str]
    ):
        self._world, self._interference, self._server = world, interference, server
        self._environment = environment
        self._seen: list[Rows] = []
        self._reading = threading.Lock()
        world.build()
        self._finish("gate", "first")
        self._finish("merge", "first")
        self._landed = world.save()
        self._before = judge.rows_of(world, "processed")
        gate = self._finish("gate", "nightly")
        self._gated = world.save()
        merge = self._finish("merge", "nightly")
        self._expected = judge.outcome(world, "nightly")
        if orphans := list(judge.judge_left_overs(world, {"nightly"}, may_have_orphans=False)):
            raise RuntimeError(f"an uninterrupted run: {orphans}")
        self._after = judge.rows_of(world, "processed")
        self._finish("gate", "backfill")
        self._finish("merge", "backfill")
        nightly_first = judge.rows_of(world, "processed")
        self._restore(self._gated)
        self._finish("gate", "backfill")
        self._both_gated = world.save()
        self._finish("merge", "backfill")
        backfilled = judge.rows_of(world, "processed")
        self._finish("merge", "nightly")
        self._in_any_order = frozenset({nightly_first, judge.rows_of(world, "processed")})
        self._on_the_way = {self._before, self._after, backfilled, *self._in_any_order}
        self._restore(self._landed)
        refusal = self._refuse(Plan())[1].plan
        self._refused = judge.outcome(world, "refused")
        runs = {"gate": gate, "merge": merge, "refusal": refusal}
        self.calls: dict[Step, tuple[Call, ...]] = {step: tuple(plan.calls) for step, plan in runs.items()}
        interference.changed = self._look

    def run(self, point: Point) -> list[str]:
        """What does not hold; nothing for a point that was survived."""
        try:
            if point.effect is Effect.RACE:
                return list(self._race(point))
            self._restore(self._gated if point.step == "merge" else self._landed)
            if point.step == "refusal":
                return list(self._interrupt_refusal(point))
            if point.effect in (Effect.HELD_FOR_RETRY, Effect.HELD_FOR_BACKFILL):
                return list(self._hold(point))
            return list(self._interrupt(point))
        except Exception as error:
            return [f"{type(error).__name__}: {error}"]

    def _interrupt(self, point: Point) -> Iterator[str]:
        plan = Plan(point.effect, point.call, _last(point))
        first = self._start(point.step, "nightly", plan)
        code = first.job.wait()
        if len(plan.calls) < point.call:
            yield f"only {len(plan.calls)} calls were made"
        gates, run = int(point.step == "gate"), "nightly"
        if code:
            yield from self._judge_end(point, code, first.job)
            run = "again" if point.variant is Variant.NEW_RUN else "nightly"
            if point.step == "gate" or run == "again":
                yield from self._heal("gate", run)
                gates += 1
        elif point.effect in KILLS:
            yield "the process was to be killed, and ended by itself"
        if point.step == "gate" and not code:
            yield from judge.judge_quarantine(self._world, self._expected)
            yield from judge.judge_gate(self._world, self._expected, run, gates, _repeats(plan))
            yield from judge.judge_left_overs(self._world, {run}, may_have_orphans=True)
            return  # the merge takes the manifest and what it names, and these are as they should be
        if code:
            yield from self._heal("merge", run)
        told_before = point.step == "merge"
        yield from self._judge(run, gates, {"nightly", run}, _repeats(plan), told_before=told_before)
        yield from self._judge_reads({self._before, self._after})

    def _interrupt_refusal(self, point: Point) -> Iterator[str]:
        plan = Plan(point.effect, point.call, _last(point))
        is_refused, first = self._refuse(plan)
        if not is_refused:
            yield from self._judge_end(point, first.job.wait(), first.job)
            if not self._refuse(Plan())[0]:
                yield "the gate that came after did not refuse the batch"
        yield from judge.judge_tables(self._world, self._refused)
        yield from judge.judge_gate(self._world, self._refused, "refused", 2 - is_refused, _repeats(plan))
        yield from judge.judge_left_overs(self._world, {"refused"}, may_have_orphans=False)

    def _refuse(self, plan: Plan) -> tuple[bool, Running]:
        """Whether the gate refused the batch, as it must."""
        running = self._start("gate", "refused", plan)
        return running.job.wait() == 1 and running.job.error.startswith("GateRejected"), running

    def _judge_end(self, point: Point, code: int, job: Job) -> Iterator[str]:
        if point.effect in KILLS:
            if code != KILLED:
                yield f"the process ended with {code}: {job.error[:_ERROR_SHOWN]}"
            return
        if point.variant is not Variant.ALL:
            yield f"{point.variant} failed calls were too many: {job.error[:_ERROR_SHOWN]}"
        yield from judge.judge_failure(job.error, job.log)

    def _hold(self, point: Point) -> Iterator[str]:
        """Stop the run at its call, let the retry or another batch go all its way, and let the run go on."""
        plan = Plan(point.effect, point.call, point.call)
        held = self._start(point.step, "nightly", plan)
        plan.is_held.wait(60)
        other = "nightly" if point.effect is Effect.HELD_FOR_RETRY else "backfill"
        if point.step == "gate" or other == "backfill":
            yield from self._heal("gate", other)
        yield from self._heal("merge", other)
        plan.released.set()
        if held.job.wait():
            yield f"the run that was held failed: {held.job.error[:_ERROR_SHOWN]}"
        if point.step == "gate":
            yield from self._heal("merge", "nightly")
        if other == "nightly":
            gates = 2 if point.step == "gate" else 0
            yield from self._judge("nightly", gates, {"nightly"})
            yield from self._judge_reads({self._before, self._after})
        else:
            yield from self._judge_both()

    def _race(self, point: Point) -> Iterator[str]:
        """Nightly, its retry and a backfill merge at once; one of them is killed somewhere, or none."""
        chance = random.Random(point.call)
        self._restore(self._both_gated)
        victim = chance.choice(["nightly", "retry", "backfill", "nobody"])
        call, effect = chance.randint(1, len(self.calls["merge"])), chance.choice(KILLS)
        plans = {
            name: Plan(effect, call, call) if name == victim else Plan()
            for name in ("nightly", "retry", "backfill")
        }
        order = chance.sample(sorted(plans), len(plans))
        running = {
            name: self._start("merge", name.replace("retry", "nightly"), plans[name], name) for name in order
        }
        for name, one in running.items():
            code = one.job.wait()
            if code and code != KILLED:
                yield f"{name} failed: {one.job.error[:_ERROR_SHOWN]}"
            elif code:
                yield from self._heal("merge", name.replace("retry", "nightly"))
        yield from self._judge_both()

    def _judge_both(self) -> Iterator[str]:
        expected = replace(self._expected, rows=self._in_any_order)
        yield from judge.judge_tables(self._world, expected)
        yield from judge.judge_left_overs(self._world, {"nightly", "backfill"}, may_have_orphans=True)
        yield from self._judge_reads(self._on_the_way)

    def _judge(
        self, run: str, gates: int, runs: set[str], repeats: int = 0, *, told_before: bool = False
    ) -> Iterator[str]:
        yield from judge.judge_tables(self._world, self._expected)
        yield from judge.judge_gate(self._world, self._expected, run, gates, repeats, told_before=told_before)
        yield from judge.judge_merge(self._world, self._expected, run)
        yield from judge.judge_left_overs(self._world, runs, may_have_orphans=True)

    def _judge_reads(self, allowed: set[Rows]) -> Iterator[str]:
        """A reader never saw anything but whole states, and none again after it had seen a later one."""
        if strange := [rows for rows in self._seen if rows not in allowed]:
            yield f"a reader saw what no whole run leaves, {len(strange)} times"
        changes = [
            rows for rows, before in zip(self._seen, [None, *self._seen], strict=False) if rows != before
        ]
        if len(set(changes)) != len(changes):
            yield "a reader saw an older state after a newer one"

    def _look(self, call: Call) -> None:
        """Read the table after any call that may change what a reader sees."""
        in_table = "/warehouse/" in call.path and call.path.startswith(f"/{self._world.bucket('processed')}/")
        if call.target == "UpdateTable" or (in_table and call.method == "DELETE"):
            with self._reading:
                self._seen.append(judge.rows_of(self._world, "processed"))

    def _restore(self, saved: Saved) -> None:
        self._world.restore(saved)
        self._seen.clear()
        self._interference.plans.clear()

    def _heal(self, step: Step, run: str) -> Iterator[str]:
        running = self._start(step, run, Plan(), "healer")
        if code := running.job.wait():
            yield f"the {step} that came after ended with {code}: {running.job.error[:_ERROR_SHOWN]}"

    def _finish(self, step: Step, run: str) -> Plan:
        """An uninterrupted run. Raises RuntimeError when it does not end well."""
        running = self._start(step, run, Plan())
        if running.job.wait():
            raise RuntimeError(f"{step} of {run}: {running.job.error}\n{running.job.log[-3000:]}")
        return running.plan

    def _start(self, step: Step, run: str, plan: Plan, access_key: str = "job") -> Running:
        self._interference.plans[access_key] = plan
        environment = {**self._environment, "AWS_ACCESS_KEY_ID": access_key, "PATH": os.environ["PATH"]}
        job = self._server.start(step, self._world.arguments(run), environment)
        plan.pid = job.pid
        plan.has_pid.set()
        return Running(job, plan)


def _last(point: Point) -> int:
    if point.effect in FAULTS:
        return {Variant.ONE: point.call, Variant.TWO: point.call + 1}.get(point.variant, _NO_END)
    return point.call


def _repeats(plan: Plan) -> int:
    """Alerts that went out though their answer was lost."""
    lost = plan.calls[plan.first - 1 : plan.last] if plan.effect is Effect.LOST_ANSWER else ()
    return sum(call.service == "sns" for call in lost)
