"""What computes in bf16, and that a precision left to the machine makes no other machine's records stale."""

from collections import Counter
from pathlib import Path

import pytest

from revista import captions, devices
from revista.captions import CaptionRequest
from revista.devices import has_bf16
from revista.plan import plan_issue
from revista.records import Candidates, Issue
from revista.settings import CaptionsSettings, RunSettings, Settings
from revista.stages import models_for
from revista.store import Archive

from .issue_of_pictures import make_issue, run
from .tiny_models import noise, one_thread, save_blip


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    one_thread()
    return str(save_blip(tmp_path_factory.mktemp("models") / "blip"))


def settings(weights: str, precision: str, **more: object) -> Settings:
    options = {"model": weights, "max_new_tokens": 4, "samples": 0, "precision": precision, **more}
    return Settings(profile="none", captions=CaptionsSettings.model_validate(options), run=RunSettings(device="cpu"))


def precisions(archive: Archive, issue: Issue) -> Counter[object]:
    """Of the records, by what their headers say."""
    found = [archive.read(issue.id, "captions", number, Candidates) for number in range(1, issue.page_count + 1)]
    return Counter(record.header.options["precision"] for record in found if record)


def test_auto_is_what_the_processor_has(weights: str) -> None:
    known = Path("/proc/cpuinfo").read_text("utf-8").split() if Path("/proc/cpuinfo").exists() else []
    if "flags" in known:  # x86
        assert has_bf16("cpu") == ("avx512_bf16" in known or "amx_bf16" in known)
    best = "bf16" if has_bf16("cpu") else "fp32"
    request = [CaptionRequest(noise(1))]
    said = {}
    for precision in ("auto", "fp32", "bf16"):
        captioner = captions.load(settings(weights, precision).captions, "cpu")
        said[precision] = captioner.predict(request)
    assert said["auto"] == said[best]
    assert said["fp32"] != said["bf16"]  # in the digits of the log-probabilities, if nowhere else


def test_left_to_the_machine_records_say_which_and_stand_on_every_machine(
    weights: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def on_a_machine(with_bf16: bool) -> None:
        monkeypatch.setattr(devices, "has_bf16", lambda device: with_bf16)
        models_for.cache_clear()

    auto = settings(weights, "auto")
    with Archive(tmp_path / "archive", create=True) as archive:
        issue = make_issue(archive, (1, 2, 0, 1))
        on_a_machine(with_bf16=True)
        assert run(archive, issue, auto) == [4, 4]
        assert precisions(archive, issue) == {"bf16": 4}

        on_a_machine(with_bf16=False)
        assert run(archive, issue, auto) == [0, 0]
        plan = plan_issue(archive, issue.id, auto, ("captions",))
        assert (plan.stages[0].stage, plan.stages[0].fresh, plan.stages[0].stale) == ("captions", 4, 0)
        archive.remove(issue.id, "captions", 2)
        assert run(archive, issue, auto) == [1, 1]  # the ranking sees that it rests on another record
        assert precisions(archive, issue) == {"bf16": 3, "fp32": 1}

        on_a_machine(with_bf16=True)
        assert run(archive, issue, auto) == [0, 0]
        assert run(archive, issue, settings(weights, "fp32")) == [3, 3]  # asked for by a person: only what is not so
        assert precisions(archive, issue) == {"fp32": 4}
        assert run(archive, issue, auto) == [0, 0]

        changed = settings(weights, "auto", beams=3)
        assert run(archive, issue, changed) == [4, 4]  # what is stale for another reason is made as the machine can
        assert precisions(archive, issue) == {"bf16": 4}
        assert run(archive, issue, settings(weights, "bf16", beams=3)) == [0, 0]


def test_a_large_published_captioner_is_left_to_the_machine_and_ours_is_not() -> None:
    assert Settings(captions=CaptionsSettings(model="blip-base")).captions.precision == "auto"
    assert Settings(captions=CaptionsSettings(model="compact-captioner")).captions.precision == "fp32"
    chosen = CaptionsSettings(model="blip-base", precision="fp32")
    assert Settings(captions=chosen).captions.precision == "fp32"
