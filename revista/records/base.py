"""What all records have: a header that says where they come from, a body, and the problems met."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue

from revista.errors import PASSING, Category, RevistaError

SCHEMA_VERSION = 1
Confidence = float  # 0.0 (no trust) to 1.0 (certain)


class Frozen(BaseModel):
    """Base of all records: immutable, and a misspelt field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Problem(Frozen):
    """One thing that went wrong with one item, and what to do about it."""

    stage: str
    category: Category
    message: str
    hint: str = ""
    page: int | None = None
    item: str | None = None  # the region or file concerned, where it is less than the page

    @classmethod
    def from_error(cls, error: RevistaError, stage: str, page: int | None = None, item: str | None = None) -> Problem:
        """The record of `error`, which happened in `stage` to `item` on `page`."""
        return cls(stage=stage, category=error.category, message=error.message, hint=error.hint, page=page, item=item)

    @property
    def passing(self) -> bool:
        """Whether a second try may succeed with the same input."""
        return self.category in PASSING

    @property
    def fails_page(self) -> bool:
        """Whether its page counts as failed: a stage did not do it at all, neither in part nor with a named loss."""
        return self.page is not None and self.item is None and self.category is not Category.REDUCED


class Header(Frozen):
    """Where a record comes from. Two headers that agree in all but the times name the same work."""

    schema_version: int = SCHEMA_VERSION
    stage: str
    version: str
    options: dict[str, JsonValue] = {}
    inputs: dict[str, str] = {}  # name -> sha256 of the input file, or fingerprint of the input record
    weights: dict[str, str] = {}  # name -> sha256
    software: dict[str, str] = {}  # name -> version
    created: datetime | None = None  # UTC
    seconds: float | None = None

    def same_work(self, other: Header) -> bool:
        """Whether both headers describe the same work, the times left out."""
        untimed = {"created": None, "seconds": None}
        return self.model_copy(update=untimed) == other.model_copy(update=untimed)


class Body(Frozen):
    """Base of what the stages find on a page."""

    problems: tuple[Problem, ...] = ()


BodyT = TypeVar("BodyT", bound=Body)


class Record(Frozen, Generic[BodyT]):
    """A body with the header that says where it comes from."""

    header: Header
    body: BodyT

    def fingerprint(self) -> str:
        """Hex sha256 of the record: the name under which later stages quote it.

        The times are left out, and so is the sha256 of the PDF: it changes for all pages when one page of a scan is
        replaced, while a page record holds the sha256 of its own image.
        """
        inputs = {name: digest for name, digest in self.header.inputs.items() if name != "pdf"}
        quoted = self.header.model_copy(update={"created": None, "seconds": None, "inputs": inputs})
        return hashlib.sha256(self.model_copy(update={"header": quoted}).model_dump_json().encode()).hexdigest()
