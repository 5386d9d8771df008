"""The dearest packing, compared with trying everything."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revista.context import packing
from revista.context.packing import Option, Packing

options = st.lists(
    st.builds(
        lambda pictures, captions, saving: Option(frozenset([*pictures, *captions]), saving / 100),
        st.sets(st.integers(0, 3), min_size=1, max_size=2),
        st.sets(st.integers(10, 14), min_size=1, max_size=2),
        st.integers(-20, 100),
    ),
    max_size=9,
)


def by_trying(some: list[Option], chosen: int | None = None, left: int | None = None) -> float:
    best = 0.0 if chosen is None else float("-inf")
    for size in range(len(some) + 1):
        for indices in combinations(range(len(some)), size):
            items = [item for i in indices for item in some[i].items]
            apart = len(items) == len(set(items))
            if apart and (chosen is None or chosen in indices) and left not in items:
                best = max(best, sum(some[i].saving for i in indices))
    return best


@settings(deadline=None)
@given(options)
def test_nothing_saves_more(some: list[Option]) -> None:
    problem = Packing(some)
    saving, chosen = problem.best()
    assert saving == pytest.approx(by_trying(some), abs=1e-9)
    items = [item for i in chosen for item in some[i].items]
    assert len(items) == len(set(items))
    assert saving == pytest.approx(sum(some[i].saving for i in chosen))
    for i in range(len(some)):
        assert problem.best_with(i) == pytest.approx(by_trying(some, chosen=i), abs=1e-9)
    assert problem.best_leaving(0) == pytest.approx(by_trying(some, left=0), abs=1e-9)


def test_crowded_pages_are_solved_nearby(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = [
        Option(frozenset([("p", i), ("c", i + d)]), 0.5 + 0.01 * ((7 * i + 3 * d) % 11))
        for i in range(60)
        for d in (0, 1)
    ]
    near = [Packing(chain).best_with(i) for i in range(0, 120, 7)]
    monkeypatch.setattr(packing, "_MANY", 1000)
    whole = [Packing(chain).best_with(i) for i in range(0, 120, 7)]
    assert all(a <= b + 1e-9 and b - a < 0.6 for a, b in zip(near, whole, strict=True))
