#!/usr/bin/env python3
"""Write docs/schemas/descriptions.json: the JSON Schema of a file `descriptions/0003.json` of an archive.

For maintainers: `python scripts/schemas.py` after a change of `revista/records/`; a test tells when it is due.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from revista.records import Descriptions, Record

FILE = Path(__file__).parents[1] / "docs" / "schemas" / "descriptions.json"


def schema() -> dict[str, Any]:
    """The schema, in the dialect of JSON Schema 2020-12, as pydantic makes it of the records' types."""
    made = Record[Descriptions].model_json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **made,
        "title": "Descriptions of the pictures of a page",
    }


def text() -> str:
    """The schema as it is written."""
    return json.dumps(schema(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(text(), "utf-8")
