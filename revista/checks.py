"""What revista needs on this machine, and whether it is there: `revista doctor`."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from revista import captions, translation
from revista.captions import server
from revista.collection_index import Index, read_index
from revista.errors import ExitCode, MissingProgram, RevistaError
from revista.programs import apertium, java, poppler, tesseract
from revista.ranking.languages import languages
from revista.records import Frozen
from revista.registry import NO_MODELS, not_shipped
from revista.settings import Settings
from revista.stages import STAGES
from revista.versions import versions
from revista.weights import find_weights

_ROWS_SHOWN = 20  # of an index, that cannot be used
_FREE_GIGABYTES = 5  # an issue of 100 pages takes about 0.2 GB


class Check(Frozen):
    """One thing that was looked for. `optional` means: not there, and only a part of the work needs it."""

    name: str
    status: Literal["ok", "optional", "missing"]
    found: str = ""
    hint: str = ""
    exit_code: ExitCode = ExitCode.OK  # with which a run would end because of it


def examine(settings: Settings, archive: Path | None = None) -> tuple[Check, ...]:
    """Look for everything that a run with `settings` needs; nothing is raised, each finding is a `Check`."""
    checks = [
        Check(name="Python", status="ok", found=".".join(map(str, sys.version_info[:3]))),
        _check("Tesseract", lambda: _tesseract(settings)),
        _check("poppler", poppler.probe_text),
        _check("Apertium eng-spa", apertium.probe, optional=not _translates(settings)),
        _opencv(),
        _check("Java (revista evaluate captions)", java.probe, optional=True),
    ]
    read_by = settings.captions.translator
    for name, spec in (
        ("detector weights", settings.regions.compact_model if "compact" in settings.regions.detectors else None),
        ("transformers detector weights", settings.regions.transformers_model),
        ("captioner weights", settings.captions.model),
        ("ranker weights", settings.ranking.model),
        ("translator weights", None if _by_apertium(settings) else settings.descriptions.translator),
        ("print translator weights", None if read_by == translation.APERTIUM else read_by),
    ):
        if spec is not None:
            checks.append(_check(name, lambda spec=spec: str(find_weights(spec).folder)))  # type: ignore[misc]
    if settings.captions.endpoint:
        checks.append(_check("captioner endpoint", lambda: server.probe(settings.captions)))
    elif settings.captions.model is None:
        notice = next(iter(_without_models(settings)), None)
        why = f"none: profile {settings.profile}" if notice is None else notice[0]
        hint = "Pictures are described from what is printed. For a model's eyes choose a profile (docs/settings.md)."
        checks.append(Check(name="captioner weights", status="optional", found=why, hint=hint))
    for said, hint in _unread(settings):
        checks.append(Check(name="ranker language", status="optional", found=said, hint=hint))
    if settings.descriptions.index is not None:
        checks.append(_index(settings.descriptions.index))
    if archive is not None:
        checks.append(_disk(archive))
    return tuple(checks)


def require(settings: Settings) -> None:
    """Raise what a run with `settings` would end with, before it starts.

    Raises:
        MissingProgram: Tesseract, its language, poppler, or (where translated) Apertium is missing.
        MissingWeights: a model that the settings name is not at hand, or its endpoint does not answer.
        BadArguments: the settings choose the transformers detector and name no checkpoint for it, or name an index
            that is not there.
        BadInput: the index is no table with the columns that it needs.
    """
    tesseract.require(_languages(settings))
    if _translates(settings):
        apertium.probe()
    if settings.captions.endpoint:
        server.probe(settings.captions)
    if settings.descriptions.index is not None:
        read_index(Path(settings.descriptions.index))
    for stage in STAGES.values():
        stage.made_by(settings)  # which asks for the program and the weights of the stage


def notices(settings: Settings) -> tuple[tuple[str, str], ...]:
    """What a run with `settings` does without though they promise it, each with a hint; often nothing.

    Raises:
        BadArguments, BadInput: as `require`, for the index.
    """
    return _without_models(settings) + _without_rows(settings)


def _without_models(settings: Settings) -> tuple[tuple[str, str], ...]:
    """A notice of models that the profile promises and this version does not ship, or that do not fit each other."""
    absent = not_shipped(settings.profile)
    if settings.captions.captioner or not absent:
        return _unread(settings)
    return (
        (
            f"this version ships no weights of the profile {settings.profile} ({', '.join(absent)}): "
            "pictures are described from print alone",
            f'Name a checkpoint in captions.model; or set profile = "{NO_MODELS}", which says nothing.',
        ),
    )


def _without_rows(settings: Settings) -> tuple[tuple[str, str], ...]:
    """A notice of rows of the index that cannot be used."""
    if settings.descriptions.index is None:
        return ()
    index = read_index(Path(settings.descriptions.index))
    if not index.problems:
        return ()
    said = f"{_left_out(index)}; the first: {index.problems[0].message}"
    return ((said, "revista doctor lists them; the other rows are used."),)


def _left_out(index: Index) -> str:
    rows = "1 row" if len(index.problems) == 1 else f"{len(index.problems):,} rows"
    return f"{rows} of the index {index.file} cannot be used"


def _index(file: str) -> Check:
    """Whether the index can be read, with the first of its rows that cannot be used."""
    name = "collection index"
    try:
        index = read_index(Path(file))
    except RevistaError as error:
        return _failed(name, error)
    issues = len({(entry.year, entry.volume, entry.number) for entry in index.entries})
    found = f"{index.file}: {len(index.entries):,} entries of {issues:,} issues"
    if not index.problems:
        return Check(name=name, status="ok", found=found)
    rows = "; ".join(problem.message for problem in index.problems[:_ROWS_SHOWN])
    more = "; ..." if len(index.problems) > _ROWS_SHOWN else ""
    found = f"{found}; {_left_out(index)}: {rows}{more}"
    return Check(name=name, status="optional", found=found, hint=index.problems[0].hint)


def _unread(settings: Settings) -> tuple[tuple[str, str], ...]:
    """A notice where the captioner speaks Spanish to a ranker that has not learnt it."""
    ranker = settings.ranking.model
    if not settings.captions.captioner or ranker is None or captions.spoken(settings.captions) != "es":
        return ()
    if languages(ranker) != ("en",):
        return ()
    return (
        (
            f"the captioner speaks Spanish, and the ranker {ranker} has learnt from English alone: "
            "it hardly tells the captioner's sentences apart",
            "Name a MetaCLIP 2 or SigLIP 2 checkpoint in ranking.model, which read Spanish (docs/eyes.md).",
        ),
    )


def exit_code(checks: tuple[Check, ...]) -> ExitCode:
    """The exit code with which a run would end, 0 where nothing is missing."""
    return next((check.exit_code for check in checks if check.status == "missing"), ExitCode.OK)


def _by_apertium(settings: Settings) -> bool:
    return settings.descriptions.translator == translation.APERTIUM


def _translates(settings: Settings) -> bool:
    """Whether Apertium is needed."""
    speaks = bool(settings.captions.captioner) and captions.spoken(settings.captions) == "en"
    return speaks and _by_apertium(settings)


def _check(name: str, probe: Callable[[], str], optional: bool = False) -> Check:
    try:
        return Check(name=name, status="ok", found=probe())
    except RevistaError as error:
        return _failed(name, error, optional)


def _failed(name: str, error: RevistaError, optional: bool = False) -> Check:
    status: Literal["optional", "missing"] = "optional" if optional else "missing"
    return Check(name=name, status=status, found=error.message, hint=error.hint, exit_code=error.exit_code)


def _languages(settings: Settings) -> str:
    """What Tesseract needs: the language, and its data on which way up a page stands."""
    return f"{settings.text.language}+osd"


def _tesseract(settings: Settings) -> str:
    probe = tesseract.require(_languages(settings))
    return f"{probe.version}, languages {', '.join(probe.languages)}"


def _opencv() -> Check:
    """Exactly one distribution may bring the module cv2: two overwrite each other's files."""
    names = ("opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless")
    found = versions(*names)
    text = ", ".join(f"{name} {number}" for name, number in found.items())
    if len(found) == 1:
        return Check(name="OpenCV", status="ok", found=text)
    hint = "pip uninstall " + " ".join(found) + "; pip install opencv-python"
    return Check(name="OpenCV", status="missing", found=text, hint=hint, exit_code=MissingProgram("").exit_code)


def _disk(archive: Path) -> Check:
    place = next(folder for folder in (archive, *archive.absolute().parents) if folder.is_dir())
    free = shutil.disk_usage(place).free / 1e9
    found = f"{free:.0f} GB free, " + ("writable" if os.access(place, os.W_OK) else "not writable")
    if free >= _FREE_GIGABYTES and os.access(place, os.W_OK):
        return Check(name="archive folder", status="ok", found=found)
    hint = "Choose another --archive, free some space, or mend the folder's rights."
    return Check(name="archive folder", status="missing", found=found, hint=hint, exit_code=ExitCode.STORAGE)
