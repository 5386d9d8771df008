"""The dearest packing: of options that exclude each other, those that together save the most, found exactly.

A set packing problem, solved as an integer programme by HiGHS (Huangfu and Hall 2018, "Parallelizing the dual revised
simplex method", Mathematical Programming Computation 10; in scipy's `milp`), each connected part by itself. For the
one-to-one case this is the assignment problem; options that take several pictures or several captions make it more.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

_MANY = 80  # options on a page; more only come from broken input
_STEPS = 6


@dataclass(frozen=True)
class Option:
    """What may be chosen: it takes `items` (any, but none may be taken twice) and saves `saving`."""

    items: frozenset[Hashable]
    saving: float


class Packing:
    """The problem of one page; all questions about the same options share their work."""

    def __init__(self, options: Sequence[Option]) -> None:
        """Take the options; their order decides between packings that save the same."""
        self._options = tuple(options)
        self._conflicts = _conflicts(self._options)
        self._solved: dict[frozenset[int], tuple[float, frozenset[int]]] = {}

    def best(self, without: frozenset[int] = frozenset()) -> tuple[float, frozenset[int]]:
        """The most that can be saved without the options `without` (indices), and by which options."""
        left = frozenset(range(len(self._options))) - without
        total, chosen = 0.0, frozenset[int]()
        while left:
            part = self._part(min(left), left)
            saving, some = self._solve(part)
            total, chosen, left = total + saving, chosen | some, left - part
        return total, chosen

    def best_with(self, option: int) -> float:
        """The most that can be saved with that option chosen."""
        return self._options[option].saving + self._best_near(self._conflicts[option] | {option})

    def best_leaving(self, item: Hashable) -> float:
        """The most that can be saved with `item` left to no option."""
        return self._best_near(frozenset(i for i, option in enumerate(self._options) if item in option.items))

    def _best_near(self, without: frozenset[int]) -> float:
        """The most that can be saved without some options; on crowded pages with those far off as in `best`.

        What far-off options could gain by a rearrangement through so many others is next to nothing.
        """
        everything = frozenset(range(len(self._options)))
        near = without
        for _ in range(_STEPS):
            near = near.union(*(self._conflicts[i] for i in near))
        if len(self._options) <= _MANY or not everything - near:
            return self.best(without)[0]
        kept = self.best()[1] - near
        out = without.union(*(self._conflicts[i] | {i} for i in kept))
        return sum(self._options[i].saving for i in sorted(kept)) + self.best((everything - near) | out)[0]

    def _part(self, start: int, left: frozenset[int]) -> frozenset[int]:
        """The options of `left` that hang together with `start` by conflicts."""
        reached, frontier = {start}, [start]
        while frontier:
            for other in self._conflicts[frontier.pop()] & left:
                if other not in reached:
                    reached.add(other)
                    frontier.append(other)
        return frozenset(reached)

    def _solve(self, part: frozenset[int]) -> tuple[float, frozenset[int]]:
        if part not in self._solved:
            order = sorted(part)
            free = all(self._conflicts[i] & part == part - {i} for i in order)
            if free:  # each excludes every other
                first = max(order, key=lambda i: (self._options[i].saving, -i))
                chosen = frozenset({first}) if self._options[first].saving > 0 else frozenset[int]()
            else:
                chosen = frozenset(order[i] for i in _chosen([self._options[i] for i in order]))
            self._solved[part] = sum(self._options[i].saving for i in sorted(chosen)), chosen
        return self._solved[part]


def _conflicts(options: Sequence[Option]) -> list[frozenset[int]]:
    users: dict[Hashable, set[int]] = {}
    for i, option in enumerate(options):
        for item in option.items:
            users.setdefault(item, set()).add(i)
    return [frozenset().union(*(users[item] for item in option.items)) - {i} for i, option in enumerate(options)]


def _chosen(options: Sequence[Option]) -> list[int]:
    """The indices of the options that together save the most."""
    import numpy as np
    from scipy.optimize import Bounds, LinearConstraint, milp  # type: ignore[import-untyped,unused-ignore]

    rows = {item: row for row, item in enumerate(dict.fromkeys(i for o in options for i in sorted(o.items, key=repr)))}
    takes = np.zeros((len(rows), len(options)))
    for column, option in enumerate(options):
        for item in option.items:
            takes[rows[item], column] = 1
    found = milp(
        [-option.saving for option in options],
        constraints=LinearConstraint(takes, -np.inf, 1),
        integrality=np.ones(len(options)),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 0},
    )
    return [i for i, value in enumerate(found.x) if value > 0.5]
