"""The closer look at proposed boxes: what is seen of them, what the shipped weights make of it, how it is learnt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revista.errors import MissingWeights
from revista.regions.compact import CompactDetector
from revista.regions.refining import CHANNELS, SIDE, Refiner, Views, on_page
from revista.training.refining_data import HOLDS, MOST, RefinedPage, draw
from revista.weights import REFINE_ONNX, find_weights

PAPER = 228
SCALE = np.array([0.4, 0.4])  # of the page network


def page(*places: tuple[int, int, int, int], height: int = 900, width: int = 640) -> np.ndarray:
    """A sheet with photographs (left, top, right, bottom) on it, (height, width, 3) uint8."""
    sheet = np.full((height, width), PAPER, np.uint8)
    for number, (left, top, right, bottom) in enumerate(places):
        coarse = np.random.default_rng(number).integers(10, 170, (5, 6), dtype=np.uint8)
        sheet[top:bottom, left:right] = cv2.resize(coarse, (right - left, bottom - top), interpolation=cv2.INTER_CUBIC)
    return np.repeat(sheet[..., None], 3, axis=2)


def views(image: np.ndarray) -> Views:
    height, width = image.shape[:2]
    return Views(image, np.zeros((-(-height // 20), -(-width // 20)), np.float32), SCALE)


def test_of_a_box_it_is_seen_what_is_in_it_and_around_it() -> None:
    place = (200, 300, 440, 700)
    seen, corners = views(page(place)).cut(np.array(place, float))
    assert seen.shape == (CHANNELS, SIDE, SIDE)
    shares = (np.array(place) - np.tile(corners[:2], 2)) / np.tile(corners[2:] - corners[:2], 2)
    left, top, right, bottom = (shares * SIDE).round().astype(int)
    assert 10 < left < 20 and 76 < right < 86
    assert seen[0, : top - 1].min() > 240  # paper above, beside and below
    assert seen[0, bottom + 1 :].min() > 240
    assert seen[0, :, : left - 1].min() > 240
    assert np.median(seen[0, top:bottom, left:right]) < 180


@settings(deadline=None, max_examples=60)
@given(
    st.tuples(st.integers(1, 900), st.integers(1, 900)),
    st.tuples(*[st.floats(-300, 1200)] * 2),
    st.tuples(*[st.floats(0, 1500)] * 2),
)
def test_any_box_of_any_page_can_be_cut_out(
    size: tuple[int, int], corner: tuple[float, float], sides: tuple[float, float]
) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    box = np.array([*corner, corner[0] + sides[0], corner[1] + sides[1]])
    seen, corners = views(image).cut(box)
    assert seen.shape == (CHANNELS, SIDE, SIDE)
    assert (corners[:2] < box[:2]).all()
    assert (corners[2:] > box[2:]).all()
    shares = (box - np.tile(corners[:2], 2)) / np.tile(corners[2:] - corners[:2], 2)
    assert np.allclose(on_page(shares[None], corners[None])[0], box, atol=1e-6)


def test_what_the_page_network_says_is_seen_where_it_says_it() -> None:
    inside = np.zeros((45, 32), np.float32)
    inside[15:35, 10:22] = 1.0  # cells of 20 pixels
    found = Views(page(), inside, SCALE)
    seen, _ = found.cut(np.array([200.0, 300.0, 440.0, 700.0]))
    assert seen[1, 30:66, 30:66].min() == 255
    assert seen[1, :6].max() == seen[1, -6:].max() == 0


# --- the shipped weights ---


@pytest.fixture(scope="module")
def shipped() -> Path:
    return find_weights("compact-regions").folder


@pytest.mark.parametrize("moved", [(-14, 10, 18, -16), (20, -24, -12, 22), (0, 0, 0, 60)])
def test_borders_go_to_the_pictures_own(shipped: Path, moved: tuple[int, int, int, int]) -> None:
    place = np.array([180, 240, 470, 640], float)
    image = page((180, 240, 470, 640))
    inside = np.zeros((45, 32), np.float32)
    inside[12:32, 9:24] = 1.0
    refiner, seen = Refiner(shipped / REFINE_ONNX), Views(image, inside, SCALE)
    once, _ = refiner.refine(seen, (place + moved)[None])
    corners, fits = refiner.refine(seen, once)
    assert np.abs(corners[0] - place).max() < 12
    assert np.abs(corners[0] - place).max() < np.abs(moved).max()
    assert fits[0] > 0.5


def test_two_photographs_with_a_narrow_gutter_are_two(shipped: Path) -> None:
    first, second = (60, 200, 316, 560), (326, 200, 580, 560)
    (layout,) = CompactDetector(str(shipped)).detect([page(first, second)])
    sure = [b for b in layout if b.type == "picture" and b.score >= 0.5]  # type: ignore[union-attr]
    found = sorted(tuple(round(c) for c in b.coordinates) for b in sure)
    assert len(found) == 2
    assert np.abs(np.array(found) - np.array([first, second])).max() < 16


def test_no_boxes_are_no_pictures(shipped: Path) -> None:
    corners, fits = Refiner(shipped / REFINE_ONNX).refine(views(page()), np.zeros((0, 4)))
    assert corners.shape == (0, 4)
    assert fits.shape == (0,)


def test_a_torn_or_foreign_file_is_refused(shipped: Path, tmp_path: Path) -> None:
    file = tmp_path / REFINE_ONNX
    with pytest.raises(MissingWeights):
        Refiner(file)
    file.write_bytes((shipped / REFINE_ONNX).read_bytes()[:900])
    with pytest.raises(MissingWeights, match="ONNX"):
        Refiner(file)
    file.write_bytes((shipped / "looks.onnx").read_bytes())
    with pytest.raises(MissingWeights, match="train refine"):
        Refiner(file)


# --- learning ---


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**31))
def test_what_is_drawn_to_learn_from_marks_its_picture(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = np.array([[60, 100, 300, 420], [330, 100, 600, 420]], float)
    image = np.full((900, 640, 3), 250, np.uint8)
    for left, top, right, bottom in truth.astype(int):
        image[top:bottom, left:right] = 10
    proposed = truth + rng.uniform(-40, 40, truth.shape)
    drawn = draw(RefinedPage(views(image), truth, proposed), rng)
    assert drawn.view.shape == (CHANNELS, SIDE, SIDE)
    assert drawn.pictures.shape == (MOST, 4)
    if not drawn.holds:
        return
    left, top, right, bottom = (np.clip(drawn.truth, 0, 1) * SIDE).round().astype(int)
    within = drawn.view[0, top + 2 : bottom - 2, left + 2 : right - 2]
    beside = np.delete(drawn.view[0], slice(max(0, top - 2), bottom + 2), axis=0)
    if within.size and beside.size:
        assert np.median(within) < np.median(beside)


def test_a_box_on_bare_paper_is_to_become_nothing() -> None:
    bare = RefinedPage(views(page()), np.zeros((0, 4)), np.zeros((0, 4)))
    for seed in range(20):
        drawn = draw(bare, np.random.default_rng(seed))
        assert not drawn.holds
        assert (drawn.pictures < 0).all()


def test_a_right_answer_costs_less_than_a_wrong_one() -> None:
    import torch

    from revista.training.refining import losses

    truth = np.array([[60, 100, 300, 420]], float)
    full = RefinedPage(views(page((60, 100, 300, 420))), truth, truth)
    drawn = [d for d in (draw(full, np.random.default_rng(seed)) for seed in range(60)) if d.holds]
    wanted = torch.from_numpy(np.stack([d.truth for d in drawn])).float()
    right = losses(wanted, torch.full((len(drawn),), 6.0), drawn)
    wrong = losses(wanted + 0.1, torch.full((len(drawn),), -6.0), drawn)
    assert len(drawn) > 20
    assert all(right[name] < wrong[name] for name in right)
    assert HOLDS < 0.5


def test_stopped_and_resumed_it_comes_to_the_same_weights(
    tmp_path: Path, shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safetensors.numpy import load_file

    from revista.regions.looking import session
    from revista.training import refining
    from revista.training.regions_config import RegionsConfig

    def photographs(rng: np.random.Generator) -> np.ndarray:
        return rng.integers(0, 256, (7, 7, 3), dtype=np.uint8).repeat(32, axis=0).repeat(32, axis=1)

    config = RegionsConfig(
        pages=1, steps=1, batch=1, rate=1e-3, check_every=1, check_pages=2, refine_pages=2, refine_steps=2
    )
    network = session(shipped / "model.onnx")
    history = refining.train([], photographs, config, tmp_path / "whole", network, False)
    assert [row["step"] for row in history.rows] == [1, 2]
    assert {file.name for file in (tmp_path / "whole" / "model").iterdir()} == {REFINE_ONNX}

    calls: list[int] = []
    learn = refining.losses

    def stopped(*given: Any) -> dict[str, Any]:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return learn(*given)

    with monkeypatch.context() as patch:
        patch.setattr(refining, "losses", stopped)
        with pytest.raises(KeyboardInterrupt):
            refining.train([], photographs, config, tmp_path / "stopped", network, False)
    refining.train([], photographs, config, tmp_path / "stopped", network, True)
    once, twice = (load_file(tmp_path / name / "refine" / refining.WEIGHTS) for name in ("whole", "stopped"))
    assert once.keys() == twice.keys()
    for name in once:
        np.testing.assert_array_equal(once[name], twice[name], err_msg=name)


def test_no_loss_is_less_than_none_where_corners_change_places() -> None:
    import torch

    from revista.training.regions_network import ious

    rng = torch.Generator().manual_seed(1)
    boxes, truth = torch.rand(500, 4, generator=rng) * 50 - 20, torch.tensor([[0.2, 0.2, 0.7, 0.8]]).expand(500, 4)
    iou, giou = ious(boxes, truth)
    assert iou.min() >= 0
    assert giou.min() >= -1
    assert giou.max() <= 1
    assert torch.allclose(torch.stack(ious(truth, truth)), torch.ones(2, 500))
