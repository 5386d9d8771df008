"""The records in which the stages meet: frozen, typed, written as JSON.

A record on disk is `{"header": {...}, "body": {...}}`, see docs/formats.md. The body is what a stage found; the header
says from what, with which options, weights and programs, so that a rerun knows whether it is still fresh. Boxes are
integer pixels of the archived page image (`revista.geometry.Box`); confidences and probabilities are 0.0 to 1.0.
"""

from __future__ import annotations

from revista.records.base import SCHEMA_VERSION, Body, BodyT, Confidence, Frozen, Header, Problem, Record
from revista.records.candidates import (
    Candidate,
    Candidates,
    Cue,
    Kind,
    PictureCandidates,
    PictureKind,
    PictureRanking,
    Ranking,
    ScoredCandidate,
)
from revista.records.context import Contexts, PictureContext, Quote
from revista.records.description import Description, Descriptions, Evidence, Flag, FlagKind, Sentence, Source
from revista.records.listed import IndexEntry, IndexEvidence, Known, Listed, PrintedNumber
from revista.records.page import (
    Bend,
    Issue,
    Line,
    Look,
    Page,
    PageText,
    Paragraph,
    Region,
    RegionKind,
    Regions,
    RejectedRegion,
    Word,
    page_of,
)

__all__ = [
    "BODIES",
    "SCHEMA_VERSION",
    "Bend",
    "Body",
    "BodyT",
    "Candidate",
    "Candidates",
    "Confidence",
    "Contexts",
    "Cue",
    "Description",
    "Descriptions",
    "Evidence",
    "Flag",
    "FlagKind",
    "Frozen",
    "Header",
    "IndexEntry",
    "IndexEvidence",
    "Issue",
    "Kind",
    "Known",
    "Line",
    "Listed",
    "Look",
    "Page",
    "PageText",
    "Paragraph",
    "PictureCandidates",
    "PictureContext",
    "PictureKind",
    "PictureRanking",
    "PrintedNumber",
    "Problem",
    "Quote",
    "Ranking",
    "Record",
    "Region",
    "RegionKind",
    "Regions",
    "RejectedRegion",
    "ScoredCandidate",
    "Sentence",
    "Source",
    "Word",
    "page_of",
]

BODIES: dict[str, type[Body]] = {
    "pages": Page,
    "regions": Regions,
    "text": PageText,
    "context": Contexts,
    "captions": Candidates,
    "ranking": Ranking,
    "descriptions": Descriptions,
}
"""The stages in their order, by the name of their folder in the archive, with what each finds on a page."""
