"""Which printed caption belongs to which picture or group of pictures, decided over the whole page at once.

Every picture (or group) is a row, every caption candidate a column of a cost matrix, and each row has a column of its
own for "no caption". The cheapest one-to-one assignment is found with the Hungarian method (Kuhn 1955, in scipy's
`linear_sum_assignment`). Groups of pictures that may share a caption are tried one after the other, and formed where
the page's total falls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from revista.context.blocks import Block
from revista.context.candidates import Candidate
from revista.context.costs import NO_CAPTION, link_cost
from revista.context.groups import Target, groups_for
from revista.context.roles import Layout
from revista.geometry import Box

_FORBIDDEN = 1e6
_MOST_GROUPS = 40  # tried on one page; more only come from broken input
_MOST_CERTAIN = 0.99
_LEAST_CERTAIN = 0.15  # links that hang by less are not told at all


@dataclass(frozen=True)
class Link:
    """A caption and the pictures it belongs to."""

    pictures: tuple[int, ...]
    blocks: tuple[Block, ...]
    confidence: float
    runner_up: tuple[Block, ...] = ()  # the next best caption; empty where no other one could be
    runner_up_confidence: float = 0.0


def assign(pictures: Sequence[Box], candidates: Sequence[Candidate], layout: Layout) -> list[Link]:
    """Link captions to pictures, one caption to one picture or group of pictures.

    The confidence of a link is the price of doing without it: by how much the page's total cost rises, per picture,
    when the best other assignment has to be taken, in parts of the cost of having no caption (0.15 to 0.99; weaker
    links are not made). A link is doubtful when it fits badly, and also when another picture fits the caption nearly
    as well.

    Args:
        pictures: upright boxes, in any order.
        candidates: caption candidates, in any order.
        layout: all blocks of the page.

    Returns:
        The links, in the order of their first picture; pictures are indices into `pictures`.
    """
    order = sorted(range(len(pictures)), key=lambda i: (pictures[i], i))  # so that ties do not hang on input order
    captions = sorted(candidates, key=lambda c: (c.box, c.text))
    singles = [Target((i,), pictures[i]) for i in order]
    groups = [group for caption in captions for group in groups_for(caption, pictures, layout)]
    solver = _Solver(singles, captions, pictures, layout)
    targets = solver.form_groups(groups[:_MOST_GROUPS])
    total, chosen = solver.solve(targets)
    links = []
    for row, column in chosen.items():
        target = targets[row]
        if target.caption is None:
            other, _ = solver.solve(targets, forbidden=(row, column))
        else:
            rest = [g for g in groups[:_MOST_GROUPS] if g != target]
            other, _ = solver.solve(solver.form_groups(rest))
        margin = (other - total) / (len(target.members) * NO_CAPTION)
        confidence = round(min(max(margin, 0.0), _MOST_CERTAIN), 4)
        if confidence >= _LEAST_CERTAIN:
            second, sureness = solver.runner_up(target, column)
            links.append(
                Link(
                    tuple(sorted(target.members)),
                    captions[column].blocks,
                    confidence,
                    second.blocks if second else (),
                    min(sureness, confidence),
                )
            )
    return sorted(links, key=lambda link: link.pictures)


class _Solver:
    """The assignment problem of one page."""

    def __init__(
        self, singles: list[Target], captions: list[Candidate], pictures: Sequence[Box], layout: Layout
    ) -> None:
        self._singles = singles
        self._captions = captions
        self._pictures = pictures
        self._layout = layout
        self._costs: dict[Target, list[float]] = {}

    def _row(self, target: Target) -> list[float]:
        if target not in self._costs:
            self._costs[target] = [
                _FORBIDDEN
                if target.caption is not None and target.caption != caption
                else len(target.members) * cost
                if (cost := link_cost(target, caption, self._pictures, self._layout)) is not None
                else _FORBIDDEN
                for caption in self._captions
            ]
        return self._costs[target]

    def solve(
        self, targets: Sequence[Target], forbidden: tuple[int, int] | None = None
    ) -> tuple[float, dict[int, int]]:
        """The lowest total cost, and the caption (column) of each target (row) that gets one."""
        from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped,unused-ignore]

        if not targets:
            return 0.0, {}
        width = len(self._captions)
        matrix = []
        for row, target in enumerate(targets):
            costs = [*self._row(target), *[_FORBIDDEN] * len(targets)]
            costs[width + row] = len(target.members) * NO_CAPTION
            matrix.append(costs)
        if forbidden:
            matrix[forbidden[0]][forbidden[1]] = _FORBIDDEN
        rows, columns = linear_sum_assignment(matrix)
        pairs = [(int(r), int(c)) for r, c in zip(rows, columns, strict=True)]
        return sum(matrix[r][c] for r, c in pairs), {r: c for r, c in pairs if c < width}

    def runner_up(self, target: Target, chosen: int) -> tuple[Candidate | None, float]:
        """The caption that fits `target` best after the chosen one, and by how much it beats having none (0 to 1).

        Candidates that share a block with the chosen one are the same caption cut differently, and are left out.
        """
        own = {block.order for block in self._captions[chosen].blocks}
        best: tuple[float, Candidate] | None = None
        for caption in self._captions:
            if own & {block.order for block in caption.blocks}:
                continue
            cost = link_cost(Target(target.members, target.box), caption, self._pictures, self._layout)
            if cost is not None and cost < (best[0] if best else NO_CAPTION):
                best = cost, caption
        return (best[1], round(1 - best[0] / NO_CAPTION, 4)) if best else (None, 0.0)

    def form_groups(self, groups: Sequence[Target]) -> list[Target]:
        """The targets after taking in, one by one, the group that lowers the total most."""
        targets = self._singles
        total, _ = self.solve(targets)
        while True:
            best: tuple[float, list[Target]] | None = None
            for group in groups:
                members = set(group.members)
                apart = [t for t in targets if not members & set(t.members)]
                if group in targets or any(members & set(t.members) and not set(t.members) <= members for t in targets):
                    continue
                trial = [*apart, group]
                cost, _ = self.solve(trial)
                if cost < (best[0] if best else total) - 1e-9:
                    best = cost, trial
            if best is None:
                return targets
            total, targets = best
