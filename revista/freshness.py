"""Whether a record still stands: the one judgement by which a run decides and a plan foretells.

A record is stale when its header no longer matches what the stage would write now, when one of its files is gone or
damaged, or when it ended in trouble that may have passed.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from revista.records import Body, Header, Page, Record
from revista.stages import Job, Stage
from revista.store import sha256_of

Pending = Mapping[str, str | None]
"""Inputs that are made anew before the stage has its turn, by their name in the header, with the fingerprint that
they surely will not have any more; None where they may come out as they were."""

_NOTHING: Pending = MappingProxyType({})


class Verdict(StrEnum):
    """What becomes of a record when its stage has its turn."""

    FRESH = "fresh"  # it stays
    MAYBE = "maybe"  # an input is made anew, and only then it shows whether the record still matches
    STALE = "stale"  # it is made anew, or for the first time
    SKIPPED = "skipped"  # the page could not be had: what there is of its past is removed


class Judgement(NamedTuple):
    """A verdict with what it rests on."""

    verdict: Verdict
    header: Header  # of a record made now; without inputs where it is SKIPPED, without those that are pending
    known: Record[Any] | None  # what stands in the archive, None where nothing (readable) does
    replaced: bool = False  # the record's fingerprint goes: its header changes, or it is removed

    @property
    def pending(self) -> bool:
        """Whether the record may be another one after the stage's turn."""
        return self.verdict in (Verdict.STALE, Verdict.MAYBE) or self.replaced

    @property
    def gone(self) -> str | None:
        """The fingerprint that the record surely will not have any more; None where it may keep it."""
        return self.known.fingerprint() if self.known is not None and self.replaced else None


def judge(stage: Stage, job: Job, pending: Pending = _NOTHING) -> Judgement:
    """Judge the record of `stage` on the page of `job`.

    Args:
        stage: whose record.
        job: the page; neither its PDF nor its models are touched.
        pending: what is made anew before, "pages" included where that is so. A run leaves it out: when it asks,
            everything before is done.

    Returns:
        Never MAYBE where nothing is pending.

    Raises:
        BadInput: a record that the stage needs is not there, and is not pending either.
    """
    known = job.archive.read(job.issue.id, stage.name, job.page, stage.body)
    if not _can_be_had(stage, job, pending):
        if "pages" in pending:
            return Judgement(Verdict.MAYBE, job.made_by, known)
        return Judgement(Verdict.SKIPPED, job.made_by, known, replaced=known is not None)
    header = stage.header(job, without=pending)
    if known is None:
        return Judgement(Verdict.STALE, header, known)
    header = _as_it_was_settled(header, known.header)
    lost = any(gone is not None and known.header.inputs.get(name) == gone for name, gone in pending.items())
    if lost or not _without(known.header, pending).same_work(header):
        untold = {*pending, "pdf"}  # fingerprints pass over the PDF: see `Record.fingerprint`
        changed = not _without(known.header, untold).same_work(_without(header, untold))
        return Judgement(Verdict.STALE, header, known, replaced=lost or changed)
    if not _is_whole(stage, job, known.body):
        return Judgement(Verdict.STALE, header, known)
    return Judgement(Verdict.MAYBE if pending else Verdict.FRESH, header, known)


def _can_be_had(stage: Stage, job: Job, pending: Pending) -> bool:
    """Whether there is, or may come, an image for the stage to work on."""
    if stage.name == "pages":
        return True
    if "pages" in pending:
        page = job.archive.read(job.issue.id, "pages", job.page, Page)
        return page is None or page.body.image is not None
    return job.body("pages").image is not None


def _as_it_was_settled(header: Header, known: Header) -> Header:
    """The header with each option that is left to the machine (`auto`) as the record that stands has it.

    So such a record stands on all machines; else two of them would make each other's anew for ever.
    """
    left = {
        name: known.options[name] for name, value in header.options.items() if value == "auto" and name in known.options
    }
    return header.model_copy(update={"options": header.options | left}) if left else header


def _without(header: Header, inputs: Mapping[str, str | None] | set[str]) -> Header:
    if not inputs:
        return header
    kept = {name: value for name, value in header.inputs.items() if name not in inputs}
    return header.model_copy(update={"inputs": kept})


def _is_whole(stage: Stage, job: Job, body: Body) -> bool:
    return (
        not any(problem.passing for problem in body.problems)
        and all(file.is_file() for file in stage.files(job.archive, job.issue.id, body))
        and _image_is_whole(job, body)
    )


def _image_is_whole(job: Job, body: Body) -> bool:
    """Whether a page's image is still the one that its record is about; True for what is no page or has none."""
    if not isinstance(body, Page) or body.image is None:
        return True
    return sha256_of(job.archive.page_image(job.issue.id, body.image)) == body.image_sha256
