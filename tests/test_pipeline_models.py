"""The whole way with a captioner and a ranker: tiny checkpoints of the real architectures, which say nonsense."""

from pathlib import Path

import pytest

from revista import pipeline
from revista.pipeline import run_issue
from revista.records import Candidates, Descriptions, Ranking, Source
from revista.settings import CaptionsSettings, RankingSettings, Settings
from revista.store import Archive, sha256_of

from .conftest import MakePdf
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
        before = run_issue(archive, excerpt(7), Settings())
        assert before.described_by_model == 0
        after = run_issue(archive, excerpt(7), settings(models))
        made = {c.stage for c in after.stages if c.made}
        assert made == {"captions", "ranking", "descriptions"}
        assert list(pipeline.STAGES)[-3:] == ["captions", "ranking", "descriptions"]
