"""The page network: what it is asked to say can be read back, what it says becomes regions, training writes it."""

from __future__ import annotations

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revista import regions
from revista.errors import BadArguments, MissingWeights
from revista.evaluation.index import IndexPage
from revista.geometry import Box
from revista.records import Look, RegionKind
from revista.regions.combine import Found
from revista.regions.compact import CompactDetector
from revista.regions.decoding import CHANNELS, CLASSES, LOOKS, STRIDE, decode, inside_and_looks, overlaps
from revista.regions.finding import LONGEST, STEP, fitted, padded
from revista.regions.judging import Curve, Proposed, distinct, judgements, shares_of
from revista.regions.settling import settle
from revista.settings import RegionsSettings
from revista.training.regions_config import RegionsConfig, is_held_out
from revista.training.regions_data import KINDS, Sample, shown
from revista.training.regions_network import PageNetwork, losses, targets

SIDE = 256


def sample(boxes: list[tuple[int, int, int, int]], kinds: list[str], complete: bool = True) -> Sample:
    image = np.full((SIDE, SIDE, 3), 230, np.uint8)
    places = np.array([KINDS.index(kind) for kind in kinds], np.int64)
    return Sample(image, np.array(boxes, np.float32).reshape(-1, 4), places, complete)


def said(wanted: Sample) -> np.ndarray:
    """The maps of a network that says exactly what it is asked to."""
    goal = targets(wanted)
    h, w = goal.look.shape
    y, x = np.mgrid[:h, :w] + 0.5
    maps = np.zeros((CHANNELS, h, w), np.float32)
    maps[: len(CLASSES)] = np.where(goal.positive, 6.0, -9.0)
    for start, box in ((len(CLASSES), goal.box), (len(CLASSES) + 4, goal.part)):
        away = np.stack([x - box[0], y - box[1], box[2] - x, box[3] - y])
        maps[start : start + 4] = np.log(np.maximum(away, 1e-2))
    for place in range(len(LOOKS)):
        maps[len(CLASSES) + 8 + place] = np.where(goal.look == place, 5.0, 0.0)
    maps[-1] = np.where(goal.inside > 0, 9.0, -9.0)
    return maps


cells = st.tuples(st.integers(0, 3), st.integers(0, 3))


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(cells, st.sampled_from([k for k in KINDS if k != "part"]), max_size=8), st.data())
def test_what_the_network_is_asked_for_is_read_back(things: dict[tuple[int, int], str], data: st.DataObject) -> None:
    boxes, kinds = [], []
    for (column, row), kind in things.items():
        left, top = column * 64 + data.draw(st.integers(0, 15)), row * 64 + data.draw(st.integers(0, 15))
        boxes.append((left, top, left + data.draw(st.integers(20, 46)), top + data.draw(st.integers(20, 46))))
        kinds.append(kind)
    found = [p for p in decode(said(sample(boxes, kinds))) if p.score > 0.5]
    assert len(found) == len(boxes)
    for box, kind in zip(boxes, kinds, strict=True):
        best = max(found, key=lambda p: overlaps(np.array(p.box), np.array([box], float))[0])
        assert overlaps(np.array(best.box), np.array([box], float))[0] > 0.95
        assert best.kind == ("picture" if kind in LOOKS else kind)
        if kind in LOOKS:
            inside, looks = inside_and_looks(said(sample(boxes, kinds)))
            assert LOOKS[int(shares_of(np.array(box, float), inside, looks).argmax())] == kind


def test_a_collage_keeps_its_parts_and_print_on_a_page_of_pictures_only_is_not_asked_for() -> None:
    collage = sample([(10, 10, 240, 200), (16, 16, 120, 190), (128, 20, 236, 190)], ["photograph", "part", "part"])
    found = decode(said(collage))
    assert sorted(p.kind for p in found if p.score > 0.5) == ["part", "part", "picture"]
    goal = targets(sample([(10, 10, 90, 90)], ["drawing"], complete=False))
    assert goal.counts[0][:, 15:].all()
    assert not goal.counts[1:].any()


def test_a_right_answer_costs_less_than_a_wrong_one() -> None:
    import torch

    right = sample([(10, 20, 120, 200), (140, 30, 230, 60)], ["photograph", "caption"])
    wrong = sample([(120, 20, 220, 120)], ["drawing"])
    made = torch.from_numpy(np.stack([said(right), said(wrong)]))
    good = losses(made, [targets(right), targets(wrong)])
    bad = losses(made, [targets(wrong), targets(right)])
    assert float(good["box"]) < 0.01
    assert all(float(good[name]) <= float(bad[name]) for name in ("box", "class", "look", "inside"))


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1))
def test_shown_samples_keep_their_boxes_on_what_they_mark(seed: int) -> None:
    image = np.full((300, 220, 3), 240, np.uint8)
    image[60:180, 40:170] = 0
    black = Sample(image, np.array([[40, 60, 170, 180]], np.float32), np.array([0]), True)
    seen = shown(black, (256, 192), np.random.default_rng(seed))
    assert seen.image.shape == (256, 192, 3)
    for left, top, right, bottom in seen.boxes:
        assert 0 <= left < right <= 192
        assert 0 <= top < bottom <= 256
        core = seen.image[int(top) + 2 : int(bottom) - 2, int(left) + 2 : int(right) - 2]
        assert np.median(core) < 60  # a label may be painted over it


@pytest.mark.parametrize("size", [(1, 1), (1, 20_000), (3000, 5), (480, 360), (2300, 1700)])
def test_any_page_fits_the_network(size: tuple[int, int]) -> None:
    small, across, down = fitted(np.zeros((*size, 3), np.uint8))
    whole = padded(small, STEP)
    assert max(small.shape[:2]) <= max(LONGEST, STRIDE)
    assert whole.shape[0] % STEP == whole.shape[1] % STEP == 0
    assert small.shape[0] == round(size[0] * down)
    assert small.shape[1] == round(size[1] * across)


# --- judging ---


def test_boxes_are_believed_as_far_as_picture_fills_and_nothing_surrounds_them() -> None:
    inside = np.zeros((40, 30), np.float32)
    inside[5:20, 4:14] = 1.0  # one picture
    inside[5:20, 17:27] = 1.0  # and another
    first, second = np.array([4, 5, 14, 20]) * 8.0, np.array([17, 5, 27, 20]) * 8.0
    both, half, text = np.array([4, 5, 27, 20]) * 8.0, np.array([4, 5, 9, 20]) * 8.0, np.array([3, 25, 27, 38]) * 8.0
    boxes = np.stack([text, half, both, first, second])
    judged = judgements(Proposed(boxes, np.full(5, 0.8), np.zeros(5, bool)), inside)
    found = [Curve().confidence(value) for value in judged]
    assert found[3] > 0.9
    assert found[4] > 0.9
    assert found[3] > found[2] > found[0]
    assert found[0] < 0.1
    places = distinct(boxes, judged, 0.5)
    assert 1 not in places  # it means the same as the first, and worse
    assert [judged[i] for i in places] == sorted((judged[i] for i in places), reverse=True)
    assert not len(judgements(Proposed(np.zeros((0, 4)), np.zeros(0), np.zeros(0, bool)), inside))
    assert distinct(np.zeros((0, 4)), np.zeros(0), 0.5) == []
    crowd = np.ones((40, 30), np.float32)  # figures that stand close together, each within its own ink
    network, ink = (judgements(Proposed(first[None], np.ones(1), np.array([by])), crowd)[0] for by in (False, True))
    assert network < 0.1 < ink


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(*[st.floats(-500, 900)] * 4), max_size=8), st.integers(0, 2**31))
def test_any_boxes_can_be_judged(corners: list[tuple[float, float, float, float]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    inside = rng.random((int(rng.integers(1, 60)), int(rng.integers(1, 60)))).astype(np.float32)
    boxes = np.array([[min(a, c), min(b, d), max(a, c), max(b, d)] for a, b, c, d in corners]).reshape(-1, 4)
    judged = judgements(Proposed(boxes, rng.random(len(boxes)), rng.random(len(boxes)) < 0.5), inside)
    assert all(0 <= value <= 1 for value in judged)
    places = distinct(boxes, judged, 0.5)
    assert all(overlaps(boxes[a], boxes[[b]])[0] < 0.5 for a, b in itertools.combinations(places, 2))


# --- settling ---


def test_a_collage_is_one_region_with_parts_and_small_things_leave_a_reason() -> None:
    whole = Found(Box(100, 100, 700, 500), RegionKind.PICTURE, 0.9, "a", Look.PHOTOGRAPH)
    left, right = (Found(Box(x, 110, x + 280, 490), RegionKind.PICTURE, 0.7, "a") for x in (110, 410))
    told = Found(Box(112, 112, 390, 488), None, 0.8, "a")
    speck = Found(Box(10, 10, 20, 20), RegionKind.PICTURE, 0.9, "a")
    words = Found(Box(120, 450, 300, 480), RegionKind.TEXT, 0.9, "a")
    kept, rejected, parts = settle([whole, left, right, told, speck, words], 800, 1100, 0.5)
    assert kept == [whole]
    assert {r.reason for r in rejected} == {"overlap", "size"}
    assert parts == {0: (told.box, right.box)}


def test_an_advertisement_is_whole_also_where_its_picture_is_surer() -> None:
    cup = Found(Box(300, 300, 500, 500), RegionKind.PICTURE, 0.97, "a", Look.PHOTOGRAPH)
    notice = Found(Box(50, 50, 750, 1050), RegionKind.PICTURE, 0.7, "a", Look.ADVERTISEMENT)
    kept, rejected, _ = settle([cup, notice], 800, 1100, 0.5)
    assert kept == [notice]
    assert [r.reason for r in rejected] == ["overlap"]
    assert settle([cup, notice], 800, 1100, 0.8)[0] == [cup]  # unless it is not sure enough itself


# --- training, and running what it wrote ---


def photographs(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 256, (7, 7, 3), dtype=np.uint8).repeat(32, axis=0).repeat(32, axis=1)


SHORT = RegionsConfig(
    pages=6,
    steps=6,
    batch=2,
    rate=2e-3,
    warmup=1,
    check_every=3,
    check_pages=2,
    fit_pages=2,
    look_steps=3,
    prints=2,
    print_steps=3,
    refine_pages=4,
    refine_steps=3,
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training of six steps."""
    from revista.training.regions import train

    out = tmp_path_factory.mktemp("regions")
    history = train([], photographs, SHORT, out, "cpu", False)
    assert [row["step"] for row in history.rows] == [3, 6]
    assert all(np.isfinite(list(row.values())).all() for row in history.rows)
    return out


def photograph_like(height: int, width: int) -> np.ndarray:
    """Smooth tones, (height, width, 3) uint8."""
    coarse = np.random.default_rng(1).integers(20, 110, (6, 6), dtype=np.uint8)
    return np.repeat(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)[..., None], 3, axis=2)


def test_looks_alone_are_learnt_at_the_end() -> None:
    import torch

    from revista.training.regions_looks import learn_looks, looks_of

    torch.manual_seed(0)
    network = PageNetwork()
    one = sample([(10, 10, 120, 200), (136, 10, 246, 200)], ["photograph", "drawing"])
    one.image[10:200, 10:120] = photograph_like(190, 110)
    one.image[10:200:6, 136:246] = 0  # lines
    before = {name: value.clone() for name, value in network.state_dict().items()}
    learn_looks(network, iter([[one]] * 300), 300, 0, "cpu")
    after = network.state_dict()
    assert {name for name in before if not torch.equal(before[name], after[name])} == {"out.weight", "out.bias"}
    first = len(CLASSES) + 8
    kept = [i for i in range(CHANNELS) if not first <= i < first + len(LOOKS)]
    assert torch.equal(before["out.weight"][kept], after["out.weight"][kept])
    with torch.inference_mode():
        pixels = torch.from_numpy(one.image).permute(2, 0, 1)[None].float()
        told = network(pixels)[0, first : first + len(LOOKS)].argmax(dim=0).numpy()
    wanted = looks_of(one)
    assert (told == wanted)[wanted >= 0].mean() > 0.8  # of random features; chance is 0.5


def test_the_written_network_says_what_the_trained_one_says(trained: Path) -> None:
    import onnxruntime
    import torch
    from safetensors.torch import load_file

    network = PageNetwork()
    network.load_state_dict(load_file(trained / "regions.safetensors"))
    session = onnxruntime.InferenceSession(str(trained / "model" / "model.onnx"), providers=["CPUExecutionProvider"])
    for height, width in ((64, 64), (128, 320)):
        pixels = np.random.default_rng(0).integers(0, 256, (1, 3, height, width)).astype(np.float32)
        with torch.inference_mode():
            wanted = network.eval()(torch.from_numpy(pixels)).numpy()
        (found,) = session.run(None, {"pixels": pixels})
        assert np.abs(found - wanted).max() < 0.05  # its numbers are kept in 16 bits


def test_learning_on_keeps_a_part_of_what_was(trained: Path, tmp_path: Path) -> None:
    """The closer look begins with its own weights; with all of the page network's kept, only its statistics differ."""
    import torch
    from safetensors.torch import load_file

    from revista.training.regions import train

    for share, folder in ((0.25, tmp_path / "part"), (1.0, tmp_path / "all")):
        config = SHORT.model_copy(update={"before": share, "look_steps": 0, "seed": 2})
        history = train([], photographs, config, folder, "cpu", False, trained / "model")
        assert [row["step"] for row in history.rows] == [3, 6]
    part, whole = (load_file(tmp_path / name / "regions.safetensors") for name in ("part", "all"))
    kept = torch.load(tmp_path / "part" / "checkpoint.pt", weights_only=True)["parts"]["kept"]
    last = {name.removeprefix("module."): value for name, value in kept.items()}
    weights = [name for name in part if name.endswith("weight")]
    assert len(weights) > 20
    for name in weights:
        assert torch.allclose(part[name], 0.75 * last[name] + 0.25 * whole[name], atol=1e-5)
    assert any(not torch.equal(last[name], whole[name]) for name in weights)
    assert CompactDetector(str(tmp_path / "part" / "model")).name == "compact"
    again = train([], photographs, config, folder, "cpu", True, trained / "model")  # nothing is mixed in twice
    assert again.rows == history.rows
    assert all(torch.equal(value, whole[name]) for name, value in load_file(folder / "regions.safetensors").items())


def test_there_is_nothing_to_keep_of_a_training_that_begins_at_random(tmp_path: Path) -> None:
    from revista.training.regions import train

    with pytest.raises(BadArguments, match="begun with"):
        train([], photographs, SHORT.model_copy(update={"before": 0.5}), tmp_path, "cpu", False)


def test_half_a_detector_to_begin_with_is_refused_before_anything_is_learnt(trained: Path, tmp_path: Path) -> None:
    from revista.training.regions import train

    (tmp_path / "model.onnx").write_bytes((trained / "model" / "model.onnx").read_bytes())
    with pytest.raises(BadArguments, match=r"refine\.onnx"):
        train([], photographs, SHORT, tmp_path / "out", "cpu", False, tmp_path)
    assert not (tmp_path / "out").exists()


def test_a_trained_folder_is_a_detector(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes((trained / "model" / "model.onnx").read_bytes())
    with pytest.raises(MissingWeights, match=r"config\.json"):
        CompactDetector(str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(MissingWeights, match=r"refine\.onnx"):
        CompactDetector(str(tmp_path))
    (tmp_path / "refine.onnx").write_bytes((trained / "model" / "refine.onnx").read_bytes())
    with pytest.raises(MissingWeights, match=r"looks\.onnx"):
        CompactDetector(str(tmp_path))
    (tmp_path / "looks.onnx").write_bytes((trained / "model" / "looks.onnx").read_bytes())
    with pytest.raises(MissingWeights, match="curve"):
        CompactDetector(str(tmp_path))
    (tmp_path / "config.json").write_bytes((trained / "model" / "config.json").read_bytes())
    detector = CompactDetector(str(tmp_path))
    page = np.full((700, 500, 3), 235, np.uint8)
    for finding, image in zip(detector.detect([page, page[:1, :1]]), (page, page[:1, :1]), strict=True):
        for item in finding:  # type: ignore[union-attr]
            left, top, right, bottom = item.coordinates
            assert 0 <= left < right <= image.shape[1]
            assert 0 <= top < bottom <= image.shape[0]
    options = RegionsSettings(detectors=("compact",), compact_model=str(tmp_path))
    files = ("config.json", "looks.onnx", "model.onnx", "refine.onnx")
    assert set(regions.weights(options)) == {f"compact/{name}" for name in files}


def test_wide_pages_without_print_are_not_taken_for_pages_on_their_side() -> None:
    """What the network makes of print on an album's leaf is noise; of 20 such leaves 3 would be turned by it."""
    from revista.regions.finding import look_at
    from revista.training import pages

    def smooth(rng: np.random.Generator) -> np.ndarray:
        coarse = rng.integers(0, 256, (7, 7, 3), dtype=np.uint8)
        return np.asarray(cv2.resize(coarse, (224, 224), interpolation=cv2.INTER_CUBIC))

    detector, turned = CompactDetector("compact-regions"), 0
    for seed in range(20):
        leaf, _ = pages.page(seed, smooth, 700, False, ("album",))
        on_its_side = np.ascontiguousarray(np.rot90(leaf))
        seen, _ = detector._plainer(leaf, look_at(detector._session, leaf), on_its_side)
        turned += seen is on_its_side
    assert turned == 0


def test_torn_and_foreign_networks_are_refused(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    data = (trained / "model" / "model.onnx").read_bytes()
    (tmp_path / "model.onnx").write_bytes(data[: len(data) // 2])
    with pytest.raises(MissingWeights, match="ONNX"):
        CompactDetector(str(tmp_path))
    with pytest.raises(MissingWeights):
        CompactDetector(str(tmp_path / "nowhere"))


def test_resumed_training_draws_the_same_batches(tmp_path: Path) -> None:
    from revista.training.regions_data import batches

    def take(begin: int, count: int) -> list[list[Sample]]:
        config = RegionsConfig(pages=4, steps=9, batch=2, rate=1e-3, seed=2, small_steps=2)
        drawn = batches(config, photographs, tmp_path / "pages", [], begin)
        return list(itertools.islice(drawn, count))

    for first, again in zip(take(0, 3)[1:], take(1, 2), strict=True):
        for a, b in zip(first, again, strict=True):
            assert np.array_equal(a.image, b.image)
            assert np.array_equal(a.boxes, b.boxes)
    torn = next((tmp_path / "pages").glob("*.npz"))
    torn.write_bytes(torn.read_bytes()[:50])  # a kill while it was written
    assert len(take(0, 1)[0]) == 2


def test_documents_and_sources_are_held_out(tmp_path: Path) -> None:
    config = RegionsConfig(pages=1, steps=1, batch=1, rate=1e-3, held_out=("doc_7", "social"))

    def entry(doc: str, source: str) -> IndexPage:
        return IndexPage(name="a.png", file=tmp_path / "a.png", doc=doc, source=source)

    assert is_held_out(entry("doc_7", "moreno"), config)
    assert is_held_out(entry("b2_00", "social"), config)
    assert not is_held_out(entry("doc_70", "moreno"), config)
