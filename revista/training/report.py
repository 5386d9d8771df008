"""What a training did, as one HTML page in its folder: settings, curves, sample pictures."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from revista.training.loop import History

_WIDTH, _HEIGHT = 420, 160
_STYLE = (
    "body{font:15px/1.4 sans-serif;max-width:70em;margin:2em auto;padding:0 1em}figure{display:inline-block;"
    "vertical-align:top;width:230px;margin:.5em}img{width:224px}svg{background:#f6f6f6}polyline{fill:none;"
    "stroke:#246;stroke-width:1.5}table{border-collapse:collapse}td{padding:.1em .8em .1em 0}"
)


@dataclass(frozen=True)
class Sample:
    """A picture and what the model said of it."""

    image: np.ndarray  # (height, width, 3) uint8 RGB
    lines: tuple[str, ...]


def write_report(
    file: Path, title: str, settings: Mapping[str, Any], history: History, samples: Sequence[Sample] = ()
) -> None:
    """Write the page, and the history beside it as JSON.

    Args:
        file: the page; `history.json` stands beside it.
        title: what was trained.
        settings: by name.
        history: what the checks saw.
        samples: pictures to show; they are put into the page itself.
    """
    names = [name for name in dict.fromkeys(name for row in history.rows for name in row) if name != "step"]
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title><style>{_STYLE}</style>",
        f"<h1>{escape(title)}</h1><p>Best score {history.best:.4f} at step {history.best_step}; "
        f"{history.seconds / 60:.1f} minutes.</p>",
        "<h2>Curves</h2>",
        *(_curve(name, [(row["step"], row[name]) for row in history.rows if name in row]) for name in names),
        "<h2>Pictures of the development split</h2>" if samples else "",
        *map(_figure, samples),
        "<h2>Settings</h2><table>",
        *(f"<tr><td>{escape(name)}<td>{escape(str(value))}" for name, value in settings.items()),
        "</table></html>",
    ]
    file.write_text("\n".join(parts), "utf-8")
    file.with_name("history.json").write_text(json.dumps(history.rows, indent=1), "utf-8")


def _curve(name: str, points: Sequence[tuple[float, float]]) -> str:
    steps, values = [x for x, _ in points], [y for _, y in points]
    low, high = min(values), max(values)
    wide, tall = max(steps) - min(steps) or 1.0, high - low or 1.0
    line = " ".join(
        f"{10 + (x - min(steps)) / wide * (_WIDTH - 20):.1f},{_HEIGHT - 10 - (y - low) / tall * (_HEIGHT - 20):.1f}"
        for x, y in points
    )
    return (
        f"<figure style='width:{_WIDTH}px'><figcaption>{escape(name)}: {values[0]:.4g} → {values[-1]:.4g} "
        f"(least {low:.4g}, most {high:.4g})</figcaption>"
        f"<svg width={_WIDTH} height={_HEIGHT}><polyline points='{line}'/></svg></figure>"
    )


def _figure(sample: Sample) -> str:
    _, data = cv2.imencode(".jpg", cv2.cvtColor(sample.image, cv2.COLOR_RGB2BGR))
    source = base64.b64encode(data.tobytes()).decode()
    lines = "<br>".join(map(escape, sample.lines))
    return f"<figure><img alt='' src='data:image/jpeg;base64,{source}'><figcaption>{lines}</figcaption></figure>"
