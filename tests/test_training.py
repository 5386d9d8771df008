"""Training: each model a few steps on drawn shapes; killed and resumed it comes to the same weights."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from safetensors import safe_open

from revista.errors import BadArguments, BadInput, ExitCode
from revista.training.data import open_data, random_view, squeeze
from revista.training.kinds import DRAWN, draw, kind_of
from revista.training.magazine import halftone_grey, magazine_look
from revista.training.scoring import Cider
from revista.training.vocabulary import make_tokenizer, make_vocabulary, plain

TEACHER = Path(__file__).parents[2] / "shared" / "teacher" / "mobilenet_v2_1.0_224_quant.tflite"
COLOURS = {"red": ((200, 30, 30), "rojo"), "blue": ((30, 30, 200), "azul"), "green": ((30, 160, 30), "verde")}
SHAPES = {"circle": "círculo", "square": "cuadrado"}

CAPTIONER = """
vocabulary = 60
expansion = 2
width = 32
layers = 1
heads = 2
inner = 32
views = 2
pictures = 6
steps = 8
reward_steps = 2
reward_pictures = 3
samples = 2
rate = 1e-3
warmup = 2
check_every = 2
check_pictures = 4
"""
CLIP = """
vocabulary = 80
expansion = 2
width = 32
layers = 1
heads = 2
inner = 32
seen = 32
common = 16
views = 2
pictures = 6
kind_pictures = 13
drawn = 3
steps = 6
rate = 1e-3
warmup = 2
check_every = 2
"""
ENCODER = """
expansion = 2
block_steps = 2
steps = 4
batch = 4
rate = 1e-3
warmup = 1
check_every = 2
check_pictures = 4
workers = 0
precision = "fp32"
"""


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eighteen pictures of shapes with captions in English and Spanish, and a random encoder."""
    folder = tmp_path_factory.mktemp("shapes")
    (folder / "images").mkdir()
    rng = np.random.default_rng(0)
    names, english, spanish = [], ["image\tn\tcaption"], ["image\tn\tcaption"]
    for i in range(18):
        colour, shape = list(COLOURS)[i % 3], list(SHAPES)[i % 2]
        picture = np.full((64, 64, 3), 230, np.uint8)
        x, y = (int(n) for n in rng.integers(20, 44, 2))
        ink = COLOURS[colour][0][::-1]
        if shape == "circle":
            cv2.circle(picture, (x, y), 14, ink, -1)
        else:
            cv2.rectangle(picture, (x - 14, y - 14), (x + 14, y + 14), ink, -1)
        names.append(f"{i}.png")
        cv2.imwrite(str(folder / "images" / names[-1]), picture)
        for n, (en, es) in enumerate((("a {} {} .", "un {1} {0} ."), ("there is a {} {} .", "hay un {1} {0} ."))):
            english.append(f"{names[-1]}\t{n}\t{en.format(colour, shape)}")
            spanish.append(f"{names[-1]}\t{n}\t{es.format(COLOURS[colour][1], SHAPES[shape])}")
    (folder / "captions.tsv").write_text("\n".join(english) + "\n", "utf-8")
    (folder / "spanish.tsv").write_text("\n".join(spanish) + "\n", "utf-8")
    (folder / "train.txt").write_text("\n".join(names[:12]) + "\n", "utf-8")
    (folder / "dev.txt").write_text("\n".join(names[12:]) + "\n", "utf-8")
    for name, text in (("captioner", CAPTIONER), ("clip", CLIP), ("encoder", ENCODER)):
        (folder / f"{name}.toml").write_text(text, "utf-8")

    import torch
    from safetensors.torch import save_file

    from revista.compact.encoder import Encoder

    torch.manual_seed(0)
    save_file(Encoder(2).state_dict(), folder / "encoder.safetensors")
    return folder


def command(shapes: Path, model: str, out: Path, *more: str) -> list[str]:
    options = ["--config", str(shapes / f"{model}.toml"), "--out", str(out), "--device", "cpu", *more]
    options += ["--teacher", str(TEACHER)] if model == "encoder" else ["--encoder", str(shapes / "encoder.safetensors")]
    options += ["--spanish", str(shapes / "spanish.tsv")] if model == "clip" else []
    return [sys.executable, "-m", "revista.cli", "train", model, str(shapes), *options]


ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(arguments), capture_output=True, text=True, timeout=300, env=ENVIRONMENT)


def weights(file: Path) -> dict[str, np.ndarray]:
    with safe_open(file, framework="numpy") as found:
        return {name: found.get_tensor(name) for name in found.keys()}  # noqa: SIM118 - not a dict


MADE = {"captioner": "model/model.safetensors", "clip": "model/model.safetensors", "encoder": "encoder.safetensors"}


@pytest.mark.parametrize("model", ["captioner", "clip", "encoder"])
def test_killed_and_resumed_gives_the_same_weights(model: str, shapes: Path, tmp_path: Path) -> None:
    if model == "encoder" and not TEACHER.exists():
        pytest.skip("the teacher in ../shared is not there")
    if model == "encoder":
        pytest.importorskip("ai_edge_litert", reason="the extra 'train' is not installed")
    whole = run(*command(shapes, model, tmp_path / "whole"))
    assert whole.returncode == 0, whole.stdout + whole.stderr
    assert "left" in whole.stdout and (tmp_path / "whole" / "report.html").stat().st_size > 1000

    killed = subprocess.Popen(command(shapes, model, tmp_path / "killed"), stdout=subprocess.DEVNULL, env=ENVIRONMENT)
    end = time.monotonic() + 200
    while not (tmp_path / "killed" / "checkpoint.pt").exists() and time.monotonic() < end:
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    again = run(*command(shapes, model, tmp_path / "killed"))
    assert again.returncode == ExitCode.BAD_ARGUMENTS and "--resume" in again.stderr
    resumed = run(*command(shapes, model, tmp_path / "killed", "--resume"))
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr

    one, two = weights(tmp_path / "whole" / MADE[model]), weights(tmp_path / "killed" / MADE[model])
    assert one.keys() == two.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], two[name], err_msg=name)
    start = weights(shapes / "encoder.safetensors")
    if model != "encoder":  # frozen, and stored with half the digits
        np.testing.assert_allclose(
            one["vision_model.encoder.head.convolution.weight"], start["head.convolution.weight"], atol=1e-3
        )


def test_trained_models_are_loaded_by_captioner_and_ranker(shapes: Path, tmp_path: Path) -> None:
    from revista.captions import CaptionRequest
    from revista.captions.blip import Blip
    from revista.errors import ModelError
    from revista.ranking import RankingRequest
    from revista.ranking.clip import Clip
    from revista.settings import CaptionsSettings
    from revista.weights import find_weights

    for model in ("captioner", "clip"):
        assert run(*command(shapes, model, tmp_path / model)).returncode == 0
    image = open_data(shapes).read("0.png")
    options = CaptionsSettings(samples=1, beams=2, max_new_tokens=5)
    captioner = Blip(find_weights(str(tmp_path / "captioner" / "model")), options, "cpu")
    (said,) = captioner.predict([CaptionRequest(image, ("", "a photograph of"))])
    assert not isinstance(said, ModelError) and {one.prompt for one in said} <= {"", "a photograph of"}
    ranker = Clip(find_weights(str(tmp_path / "clip" / "model")), "cpu")
    (scores,) = ranker.predict([RankingRequest(image, ("un círculo rojo", "a red circle", "a blue square"))])
    assert not isinstance(scores, ModelError) and len(scores.similarities) == 3


def test_a_data_set_that_is_not_one_is_told(shapes: Path, tmp_path: Path) -> None:
    with pytest.raises(BadArguments, match="0 zips or folders"):
        open_data(tmp_path)
    with pytest.raises(BadArguments, match="no such folder or zip"):
        open_data(shapes, tmp_path / "images.zip")
    data = open_data(shapes)
    with pytest.raises(BadInput, match=r"test\.txt"):
        data.names("test")
    with pytest.raises(BadInput, match=r"other\.png is not in"):
        data.read("other.png")
    (tmp_path / "captions.tsv").write_text("no table\n")
    with pytest.raises(BadInput, match="not a table of captions"):
        _ = open_data(tmp_path, shapes / "images").texts


def picture(seed: int = 0) -> np.ndarray:
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return cv2.resize(small, (160, 120), interpolation=cv2.INTER_CUBIC)


def test_halftone_is_grey_keeps_tones_and_follows_its_seed() -> None:
    image = picture()
    printed = halftone_grey(image, 3)
    assert printed.shape == image.shape and printed.dtype == np.uint8
    assert (printed == printed[..., :1]).all()
    assert (printed == halftone_grey(image, 3)).all() and (printed != halftone_grey(image, 4)).any()
    grey = cv2.blur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (25, 25)).ravel()
    assert np.corrcoef(grey, cv2.blur(printed[..., 0], (25, 25)).ravel())[0, 1] > 0.9
    fine = np.abs(np.diff(printed[..., 0].astype(int), axis=1)).mean()
    assert fine > 2 * np.abs(np.diff(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(int), axis=1)).mean()


def test_views_have_the_encoders_size() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        view = magazine_look(random_view(picture(), rng), rng)
        assert view.shape == (224, 224, 3) and view.dtype == np.uint8
    assert squeeze(picture()).shape == (224, 224, 3)
    for kind in DRAWN:
        drawn = draw(kind, picture(), rng)
        assert drawn.shape == (224, 224, 3) and drawn.std() > 5


def test_cider_prefers_what_people_say() -> None:
    judge = Cider({"a": ["a dog runs on grass", "a brown dog runs"], "b": ["two men sit", "men on a bench"]})
    assert judge.score("a", "a dog runs on grass") > judge.score("a", "a dog") > judge.score("a", "men on a bench") == 0


def test_vocabulary_is_the_same_each_time_and_spells_any_caption() -> None:
    texts = ["un niño pequeño corre", "a small dog runs", "the dogs"] * 4
    assert make_vocabulary(texts, 60, accents=True) == make_vocabulary(texts, 60, accents=True)
    tokenizer = make_tokenizer(make_vocabulary(texts, 80, accents=True), accents=True)
    ids = tokenizer("Un niño corre", add_special_tokens=False)["input_ids"]
    assert tokenizer.decode(ids) == "un niño corre"
    assert plain('A man \'s "dog" , running .') == "a man 's dog, running"


@pytest.mark.parametrize(
    ("captions", "kind"),
    [
        (["A dog runs .", "A brown dog .", "An animal ."], "animal"),
        (["A group of people .", "Several people stand .", "A man ."], "group"),
        (["A mountain lake .", "Snow on a mountain .", "Water ."], "landscape"),
        (["Something .", "Nothing .", "Whatever ."], None),
    ],
)
def test_kinds_are_read_off_captions(captions: list[str], kind: str | None) -> None:
    assert kind_of(captions) == kind
