"""Pictures of several pages in one batch: the same records as page by page, and nothing more is risked or held."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from revista import images, pipeline
from revista.batches import Through, together
from revista.captions.blip import Blip
from revista.errors import MissingWeights
from revista.leases import LOCKS
from revista.records import BODIES, Candidates, Issue
from revista.settings import CaptionsSettings, RankingSettings, RunSettings, Settings
from revista.store import Archive

from .conftest import ROOT
from .issue_of_pictures import HEIGHT, make_issue, run
from .tiny_models import one_thread, save_blip, save_clip

# --- together ---------------------------------------------------------------------------------------------------


class Doubler:
    """Doubles numbers; notes each call, and that no two things ever run at once."""

    name = "doubler"

    def __init__(self, fails_at: int | None = None, most: int | None = None) -> None:
        self.calls: list[list[int]] = []
        self.running = threading.Lock()
        self.fails_at, self.most = fails_at, most

    def predict(self, requests: Sequence[int]) -> list[int]:
        assert self.running.acquire(blocking=False)
        self.calls.append(list(requests))
        self.running.release()
        if self.fails_at in requests or (self.most and len(requests) > self.most):
            raise MemoryError(f"{len(requests)} are too many")
        return [2 * request for request in requests]


def asking(*models_and_numbers: tuple[Doubler, list[int]]) -> Callable[[Through], list[list[int] | str]]:
    """A page's work: ask one model after the other, and return the answers or the error in their place."""

    def work(through: Through) -> list[list[int] | str]:
        answers: list[list[int] | str] = []
        for model, numbers in models_and_numbers:
            try:
                answers.append(through(model).predict(numbers))
            except MemoryError as error:
                answers.append(str(error))
        return answers

    return work


def test_what_pages_ask_is_asked_together_and_each_gets_its_own() -> None:
    one, two = Doubler(), Doubler()
    works = [
        asking((one, [1, 2]), (two, [7])),
        asking(),
        asking((one, [3])),
        asking((two, [4, 5]), (two, []), (one, [6])),
    ]
    assert together(works) == [[[2, 4], [14]], [], [[6]], [[8, 10], [], [12]]]
    assert one.calls == [[1, 2, 3], [6]]
    assert two.calls == [[4, 5], [7], []] or two.calls == [[4, 5], [7]]
    assert together([]) == []
    assert together([lambda through: through(one).name]) == ["doubler"]


def test_no_page_pays_for_another() -> None:
    model = Doubler(fails_at=3)
    assert together([asking((model, [1])), asking((model, [2, 3])), asking((model, [4]))]) == [
        [[2]],
        ["2 are too many"],
        [[8]],
    ]
    assert model.calls == [[1, 2, 3, 4], [1], [2, 3], [4]]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, MissingWeights])
@pytest.mark.parametrize("when", ["before it asks", "while the model works", "behind its answer"])
def test_what_stops_the_run_ends_all_pages(stop: type[BaseException], when: str) -> None:
    ended: list[int] = []
    raised = stop("no")

    class Model:
        def predict(self, requests: Sequence[int]) -> list[int]:
            if when == "while the model works" and stop is KeyboardInterrupt:
                raise raised
            return list(requests)

    def work(number: int) -> Callable[[Through], None]:
        def page(through: Through) -> None:
            try:
                if number == 2 and when == "before it asks":
                    raise raised
                through(Model()).predict([number])
                if number == 2:
                    raise raised
                through(Model()).predict([number])
            finally:
                ended.append(number)

        return page

    before = threading.active_count()
    with pytest.raises(stop):
        together([work(number) for number in range(1, 5)])
    begun = {1, 2} if when == "before it asks" else {1, 2, 3, 4}
    assert set(ended) == begun and threading.active_count() == before


# --- the pipeline -----------------------------------------------------------------------------------------------

COUNTS = (2, 0, 3, 1, 4, 11, 1, 1, 0, 2)  # pictures of the pages


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    one_thread()
    root = tmp_path_factory.mktemp("models")
    return save_blip(root / "blip"), save_clip(root / "clip")


def settings(models: tuple[Path, Path], batch: int) -> Settings:
    blip, clip = models
    return Settings(
        captions=CaptionsSettings(model=str(blip), max_new_tokens=6),
        ranking=RankingSettings(model=str(clip)),
        run=RunSettings(batch=batch, device="cpu"),
    )


def said(archive: Archive, issue: Issue) -> dict[str, Any]:
    """All records of captions and ranking, the times left out, and numbers to three digits."""
    found = {}
    for number in range(1, issue.page_count + 1):
        for stage in ("captions", "ranking"):
            record = archive.read(issue.id, stage, number, BODIES[stage])
            if record:
                header = record.header.model_copy(update={"created": None, "seconds": None, "inputs": {}})
                data = {"header": header.model_dump(mode="json"), "body": record.body.model_dump(mode="json")}
                found[f"{stage} {number}"] = json.loads(
                    json.dumps(data), parse_float=lambda digits: pytest.approx(float(digits), abs=3e-4)
                )
    return found


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive(tmp_path / "archive", create=True) as opened:
        yield opened


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pictures the captioner was given in each call."""
    sizes: list[int] = []
    real = Blip.predict

    def noted(self: Blip, requests: Sequence[Any]) -> Any:
        sizes.append(len(requests))
        return real(self, requests)

    monkeypatch.setattr(Blip, "predict", noted)
    return sizes


def test_the_same_records_as_page_by_page(
    models: tuple[Path, Path], tmp_path: Path, archive: Archive, batches: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    issue = make_issue(archive, COUNTS)
    seen: list[int] = []
    assert run(archive, issue, settings(models, 8), on_page=lambda stage, page: seen.append(page)) == [10, 10]
    assert batches == [6, 4, 11, 4]  # 2+0+3+1, 4, one page that has more, 1+1+0+2
    assert sorted(seen) == sorted([*range(1, 11)] * 2)
    assert run(archive, issue, settings(models, 8)) == [0, 0]
    assert run(archive, issue, settings(models, 3)) == [0, 0]  # how the work is done makes nothing stale
    batches.clear()
    with Archive(tmp_path / "alone", create=True) as alone:
        make_issue(alone, COUNTS)
        monkeypatch.setattr(pipeline, "BATCH_PIXELS", 1)
        assert run(alone, issue, settings(models, 8)) == [10, 10]
        assert batches == [count for count in COUNTS if count]
        assert said(archive, issue) == said(alone, issue)
    # each page is told its share of the time
    found = [archive.read(issue.id, "captions", number, Candidates) for number in range(1, 11)]
    times = [record.header.seconds or 0.0 for record in found if record]
    assert times[1] == times[8] == 0.0 and times[2] == pytest.approx(3 * times[3], abs=2e-3) and times[3] > 0


def test_a_bad_picture_or_page_costs_only_itself(
    models: tuple[Path, Path], archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = (2, 1, 2, 1)
    issue = make_issue(archive, counts)
    with Archive(tmp_path / "sound", create=True) as sound:
        make_issue(sound, counts)
        run(sound, issue, settings(models, 8))
        whole = said(sound, issue)
    real = Blip._look

    def look(self: Blip, shown: list[np.ndarray]) -> Any:
        if any(np.array_equal(image, poison) for image in shown):
            raise RuntimeError("a picture that the model cannot take")
        return real(self, shown)

    poison = images.read_image(archive.page_image(issue.id, "0001.jpg"))[: HEIGHT // 2]
    monkeypatch.setattr(Blip, "_look", look)
    torn = archive.page_image(issue.id, "0003.jpg")
    torn.write_bytes(torn.read_bytes()[:500])
    assert run(archive, issue, settings(models, 8)) == [4, 4]
    after = said(archive, issue)
    for page in (2, 4):
        assert after[f"captions {page}"] == whole[f"captions {page}"]
        assert after[f"ranking {page}"] == whole[f"ranking {page}"]
    first, third = after["captions 1"]["body"], after["captions 3"]["body"]
    assert "cannot take" in first["pictures"][0]["reason"]
    assert first["pictures"][1] == whole["captions 1"]["body"]["pictures"][1] and len(first["problems"]) == 1
    assert all("cannot be read" in picture["reason"] for picture in third["pictures"]) and len(third["problems"]) == 1


def test_killed_between_two_batches_all_but_one_is_kept(
    models: tuple[Path, Path], archive: Archive, batches: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(self: Blip, requests: Sequence[Any]) -> Any:
        if len(batches) == 2:
            raise Killed
        return counted(self, requests)

    counted = Blip.predict
    issue = make_issue(archive, [2] * 12)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Blip, "predict", die)
        run(archive, issue, settings(models, 8))
    kept = [n for n in range(1, 13) if archive.read(issue.id, "captions", n, Candidates)]
    assert kept == [1, 2, 3, 4, 5, 6, 7, 8] and batches == [8, 8]
    assert not list((archive.locks / LOCKS).rglob("*.lock"))
    assert run(archive, issue, settings(models, 8)) == [4, 12]


MEASURE = """
import json, resource, sys
from pathlib import Path
from tests.issue_of_pictures import make_issue, run
from tests.test_batches import settings
from tests.tiny_models import one_thread
from revista.store import Archive

one_thread()
models = Path(sys.argv[1]), Path(sys.argv[2])
peaks = []
with Archive(Path(sys.argv[3]), create=True) as archive:
    for pages in (8, 32):
        issue = make_issue(archive, [2] * pages, 1200, 1600)
        assert run(archive, issue, settings(models, 8))[1] == pages - (8 if peaks else 0)
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
print(json.dumps(peaks))
"""


def test_memory_does_not_grow_with_the_issue(models: tuple[Path, Path], tmp_path: Path) -> None:
    """Pages of 6 MB, each all pictures: kept, the 24 more of the longer issue would be 138 MB more."""
    command = [sys.executable, "-c", MEASURE, *map(str, models), str(tmp_path / "archive")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    few, many = json.loads(done.stdout)
    assert many - few < 50, (few, many)
