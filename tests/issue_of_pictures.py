"""An issue of noise with so many pictures a page, up to the stage context: for tests of the stages with models."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from revista import images
from revista.geometry import Box
from revista.pipeline import run_stage
from revista.records import BODIES, Body, Contexts, Header, Issue, Page, PictureContext, Quote, Record
from revista.settings import Settings
from revista.store import Archive, sha256_of

from .tiny_models import noise

WIDTH, HEIGHT = 400, 300


def make_issue(archive: Archive, counts: Sequence[int], width: int = WIDTH, height: int = HEIGHT) -> Issue:
    """An issue with so many pictures a page, up to the stage context."""
    issue = Issue(
        id="social-1920-01",
        title="Social",
        source_name="social1920_1.pdf",
        source_sha256="ab" * 32,
        source_bytes=1,
        page_count=len(counts),
    )
    archive.write_issue(Record[Issue](header=Header(stage="issue", version="1"), body=issue))
    for number, count in enumerate(counts, start=1):
        file = archive.page_image(issue.id, f"{number:04d}.jpg")
        file.parent.mkdir(parents=True, exist_ok=True)
        images.write_jpeg(noise(number, height, width), file)
        page = Page(number=number, image=file.name, image_sha256=sha256_of(file), width=width, height=height)
        contexts = []
        for i in range(count):
            box = Box(0, i * height // max(count, 2), width, (i + 1) * height // max(count, 2))
            windows = tuple(Quote(text=t, page=number, boxes=(box,), confidence=0.9) for t in ("a house", "the sea"))
            contexts.append(PictureContext(picture=f"{number:04d}-r{i + 1:02d}", box=box, windows=windows))
        bodies: dict[str, Body] = {"pages": page, "context": Contexts(pictures=tuple(contexts))}
        for stage, body in bodies.items():
            header = Header(stage=stage, version="1")
            archive.write(issue.id, stage, number, Record[BODIES[stage]](header=header, body=body))  # type: ignore[valid-type,misc]
    return issue


def run(archive: Archive, issue: Issue, given: Settings, **more: Any) -> list[int]:
    """How many pages the two stages with models made."""
    numbers = range(1, issue.page_count + 1)
    return [run_stage(archive, issue, Path("-"), s, numbers, given, **more).made for s in ("captions", "ranking")]
