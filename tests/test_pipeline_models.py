"""The whole way with a captioner and a ranker: tiny checkpoints of the real architectures, which say nonsense."""

import json
import os
import shutil
from pathlib import Path

import pytest

from revista import pipeline
from revista.errors import ExitCode
from revista.pipeline import run_issue
from revista.records import Candidates, Descriptions, Ranking, Source
from revista.registry import FOLDER_VARIABLE
from revista.settings import CaptionsSettings, RankingSettings, Settings
from revista.store import Archive, sha256_of

from .conftest import NO_MODELS, ROOT, MakePdf, environment, revista
from .model_folders import models_like_ours
from .tiny_models import one_thread, save_blip, save_clip


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    one_thread()
    root = tmp_path_factory.mktemp("models")
    return save_blip(root / "blip"), save_clip(root / "clip")


def settings(models: tuple[Path, Path], min_window_probability: float = 0.6) -> Settings:
    blip, clip = models
    return Settings(
        captions=CaptionsSettings(model=str(blip), max_new_tokens=6),
        ranking=RankingSettings(model=str(clip), min_window_probability=min_window_probability),
    )


def test_models_speak_and_every_record_says_which(models: tuple[Path, Path], excerpt: MakePdf, tmp_path: Path) -> None:
    with Archive(tmp_path / "archive", create=True) as archive:
        report = run_issue(archive, excerpt(7), settings(models))
        captions = archive.read(report.issue, "captions", 1, Candidates)
        ranking = archive.read(report.issue, "ranking", 1, Ranking)
        descriptions = archive.read(report.issue, "descriptions", 1, Descriptions)
        assert captions and ranking and descriptions

        assert report.pictures == 2
        assert captions.body.captioner and ranking.body.ranker
        assert captions.header.weights["model.safetensors"] == sha256_of(models[0] / "model.safetensors")
        assert ranking.header.weights["model.safetensors"] == sha256_of(models[1] / "model.safetensors")
        for said, ranked in zip(captions.body.pictures, ranking.body.pictures, strict=True):
            assert said.candidates and all(c.text and c.log_probability is not None for c in said.candidates)
            assert ranked.chosen and ranked.chosen.candidate in said.candidates
            assert {one.candidate.source for one in ranked.ranked} == {"captioner", "window"}
        for picture in descriptions.body.pictures:
            seen = [sentence for sentence in picture.sentences if sentence.source is Source.SEEN]
            # what such a model says may be dropped with a reason, never without one
            assert bool(seen) != bool(picture.undescribed)
            for sentence in seen:
                assert sentence.evidence.model and sentence.evidence.original
                assert sentence.evidence.boxes == (picture.box,)

        # a ranking weight re-runs ranking and descriptions, nothing else; and nothing at all the second time
        again = run_issue(archive, excerpt(7), settings(models, min_window_probability=0.9))
        assert {c.stage for c in again.stages if c.made} == {"ranking", "descriptions"}
        still = run_issue(archive, excerpt(7), settings(models, min_window_probability=0.9))
        assert not any(c.made for c in still.stages)


def test_weights_that_come_later_describe_what_was_left_undescribed(
    models: tuple[Path, Path], excerpt: MakePdf, tmp_path: Path
) -> None:
    with Archive(tmp_path / "archive", create=True) as archive:
        before = run_issue(archive, excerpt(7), NO_MODELS)
        assert before.described_by_model == 0
        after = run_issue(archive, excerpt(7), settings(models))
        made = {c.stage for c in after.stages if c.made}
        assert made == {"captions", "ranking", "descriptions"}
        assert list(pipeline.STAGES)[-3:] == ["captions", "ranking", "descriptions"]


# --- profiles -------------------------------------------------------------------------------------------------


@pytest.fixture
def shipped(models: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A models folder that ships the tiny checkpoints as the profile `compact`."""
    folder = models_like_ours(tmp_path / "models", *models)
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    monkeypatch.delenv("REVISTA_PROFILE", raising=False)
    return folder


def test_another_profile_reruns_the_stages_that_it_concerns(
    shipped: Path, excerpt: MakePdf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made(settings: Settings) -> set[str]:
        return {c.stage for c in run_issue(archive, excerpt(7), settings).stages if c.made}

    few = CaptionsSettings(max_new_tokens=6)
    with Archive(tmp_path / "archive", create=True) as archive:
        issue = run_issue(archive, excerpt(7), NO_MODELS).issue
        assert made(Settings(captions=few)) == {"captions", "ranking", "descriptions"}
        captions = archive.read(issue, "captions", 1, Candidates)
        assert captions and captions.body.captioner == "compact-captioner"
        assert captions.header.options["model"] == "compact-captioner"
        assert captions.header.weights["model.safetensors"] == sha256_of(
            shipped / "compact" / "captioner" / "model.safetensors"
        )
        assert made(Settings(captions=few)) == set()
        assert made(Settings(captions=few, ranking=RankingSettings(model="none"))) == {"ranking", "descriptions"}
        assert made(Settings(captions=few)) == {"ranking", "descriptions"}

        # the same models in another place are the same models; retrained ones are not
        moved = shipped.rename(tmp_path / "elsewhere")
        monkeypatch.setenv(FOLDER_VARIABLE, str(moved))
        assert made(Settings(captions=few)) == set()
        data = bytearray((moved / "compact" / "clip" / "model.safetensors").read_bytes())
        data[-1] ^= 1
        (moved / "compact" / "clip" / "model.safetensors").write_bytes(data)
        assert made(Settings(captions=few)) == {"ranking", "descriptions"}
        assert made(NO_MODELS) == {"captions", "ranking", "descriptions"}


def test_the_default_works_from_the_command_line(shipped: Path, excerpt: MakePdf, tmp_path: Path) -> None:
    env = {**environment(REVISTA_CAPTIONS__MAX_NEW_TOKENS="6"), FOLDER_VARIABLE: str(shipped)}
    del env["REVISTA_PROFILE"]
    done = revista("run", excerpt(7), "-a", tmp_path / "a", "--json", env=env)
    assert done.returncode == 0, done.stderr
    assert "note:" not in done.stderr
    shown = json.loads(revista("show", "social-1916-10-v1-n10", "-a", tmp_path / "a", "--json").stdout)
    assert shown["provenance"]["captioners"] == ["compact-captioner"]
    assert shown["provenance"]["rankers"] == ["compact-clip"]

    os.truncate(shipped / "compact" / "captioner" / "model.safetensors", 1000)
    torn = revista("run", excerpt(7), "-a", tmp_path / "a", env=env)
    assert torn.returncode == ExitCode.MISSING_WEIGHTS
    assert "1000 bytes" in torn.stderr and "git checkout" in torn.stderr
    checks = {check["name"]: check for check in json.loads(revista("doctor", "--json", env=env).stdout)}
    assert checks["captioner weights"]["status"] == "missing" and checks["ranker weights"]["status"] == "ok"


def test_a_version_without_weights_says_so_and_goes_on(excerpt: MakePdf, tmp_path: Path, shipped: Path) -> None:
    shutil.copy(ROOT / "models" / "registry.toml", shipped)
    text = (shipped / "registry.toml").read_text("utf-8")
    (shipped / "registry.toml").write_text(text.partition("[models.compact-captioner.files]")[0], "utf-8")
    env = {**environment(), FOLDER_VARIABLE: str(shipped)}
    del env["REVISTA_PROFILE"]
    done = revista("run", excerpt(8), "-a", tmp_path / "a", env=env)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("ships no weights of the profile compact") == 1
    quiet = revista("run", excerpt(8), "-a", tmp_path / "a")  # with the profile none
    assert quiet.returncode == 0 and "note:" not in quiet.stderr
