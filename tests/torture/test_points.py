"""The points at which runs are interrupted."""

from scripts.torture.points import FAULTS, HOLDS, KILLS, Effect, Point, Variant, all_points

CALLS = {"gate": 2, "merge": 3, "refusal": 1}


def test_every_call_is_interrupted_in_every_way():
    """Kills are healed by the same and by a new run; faults come once, twice, for good."""
    points = list(all_points(CALLS, range(7, 9)))
    of_one_call = {(p.effect, p.variant) for p in points if (p.step, p.call) == ("merge", 3)}

    refusals = len(KILLS) + 3 * len(FAULTS)
    assert (
        len(set(points)) == len(points) == 5 * (2 * len(KILLS) + 3 * len(FAULTS) + len(HOLDS)) + refusals + 2
    )
    assert of_one_call == {
        *((kill, variant) for kill in KILLS for variant in (Variant.SAME_RUN, Variant.NEW_RUN)),
        *((fault, variant) for fault in FAULTS for variant in (Variant.ONE, Variant.TWO, Variant.ALL)),
        *((hold, Variant.ONLY) for hold in HOLDS),
    }
    assert [p.call for p in points if p.effect is Effect.RACE] == [7, 8]


def test_a_point_is_told_as_it_is_asked_for():
    """What a failure prints is what --point takes."""
    for point in all_points(CALLS, range(1)):
        assert Point.parse(str(point)) == point
