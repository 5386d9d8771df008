"""`revista evaluate regions`, `text`, `links`, `captions`, `ranking`...: measures against ground truth."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from revista.terminal import JsonOption, SettingsOption, out, print_json, progress

if TYPE_CHECKING:
    from revista.settings import Settings

evaluate = typer.Typer(help="Measure a stage against ground truth.", no_args_is_help=True)

IndexArgument = Annotated[Path, typer.Argument(help="Ground truth in the INDEX format (docs/formats.md).")]
DataArgument = Annotated[Path, typer.Argument(help="A folder with captions.tsv and split lists (docs/formats.md).")]
ImagesOption = Annotated[Path | None, typer.Option(help="Folder or zip of the pictures; default: the one in DATA.")]
PredictionsOption = Annotated[Path | None, typer.Option("--predictions", help="Write what was predicted, as JSON.")]


@evaluate.command("regions")
def evaluate_regions(
    index: IndexArgument,
    held_out: Annotated[
        bool, typer.Option("--held-out", help="Only the pages that `revista train regions` does not learn from.")
    ] = False,
    settings: SettingsOption = None,
    predictions: PredictionsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure found pictures against an INDEX: precision, recall, F1 at IoU 0.5, AP50, AP50-95, false regions."""
    from revista.evaluation.regions import evaluate_regions as measure

    _evaluate(measure, index, settings, predictions, as_json, held_out)


@evaluate.command("text")
def evaluate_text(
    index: IndexArgument,
    settings: SettingsOption = None,
    predictions: PredictionsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure read text against an INDEX: character error rate and word F1."""
    from revista.evaluation.text import evaluate_text as measure

    _evaluate(measure, index, settings, predictions, as_json)


@evaluate.command("links")
def evaluate_links(
    index: IndexArgument,
    true_regions: Annotated[
        bool, typer.Option("--true-regions", help="Give the stages the true pictures: measures assignment alone.")
    ] = False,
    settings: SettingsOption = None,
    predictions: PredictionsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure how printed captions are linked to pictures against an INDEX that has `captions`."""
    from functools import partial

    from revista.evaluation.links import evaluate_links as measure

    _evaluate(partial(measure, true_regions=true_regions), index, settings, predictions, as_json)


@evaluate.command("captions")
def evaluate_captions(
    data: DataArgument,
    images: ImagesOption = None,
    captions: Annotated[Path | None, typer.Option(help="Another table of captions than DATA/captions.tsv.")] = None,
    split: Annotated[str, typer.Option(help="Which list: train, dev or test.")] = "test",
    language: Annotated[
        Literal["en", "es"] | None, typer.Option(help="In which the captions are written; default: the captioner's.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many pictures.")] = None,
    halftone: Annotated[bool, typer.Option("--halftone", help="Show the pictures as grey halftone prints.")] = False,
    settings: SettingsOption = None,
    predictions: PredictionsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure captioner and ranker: BLEU, METEOR, ROUGE-L, CIDEr, SPICE, CLIPScore, and retrieval R@1/5/10."""
    from dataclasses import replace

    from revista.evaluation.captions import evaluate_captions as measure
    from revista.settings import load_settings
    from revista.training.data import open_data

    chosen = load_settings(settings)
    found = open_data(data, images)
    if captions is not None:
        found = replace(found, captions=captions)
    with progress(as_json, "pictures") as bars:
        task = bars.add_task(data.name, total=len(found.names(split)[:limit]))
        result = measure(
            found,
            chosen,
            split=split,
            language=language,
            limit=limit,
            halftone=halftone,
            on_picture=lambda: bars.advance(task),
        )
    _write_predictions(result.predictions, predictions)
    _tell(result, as_json)


@evaluate.command("reliability")
def evaluate_reliability(
    data: DataArgument,
    split: Annotated[str, typer.Option(help="Which list; not the one that the models learnt from.")] = "dev",
    images: ImagesOption = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many pictures.")] = None,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fit by what it is told which of the models' sentences are right: the setting ranking.reliability."""
    from revista.evaluation.reliability import evaluate_reliability as measure
    from revista.settings import load_settings
    from revista.training.data import open_data

    chosen = load_settings(settings)
    found = open_data(data, images)
    with progress(as_json, "pictures") as bars:
        task = bars.add_task(data.name, total=len(found.names(split)[:limit]))
        result = measure(found, chosen, split=split, limit=limit, on_picture=lambda: bars.advance(task))
    _tell(result, as_json)


@evaluate.command("ranking")
def evaluate_ranking(
    data: DataArgument,
    fit: Annotated[bool, typer.Option("--fit", help="Fit the setting ranking.mix instead of measuring.")] = False,
    split: Annotated[str | None, typer.Option(help="Which list; default: test, with --fit dev.")] = None,
    images: ImagesOption = None,
    spanish: Annotated[
        Path | None, typer.Option(help="The captions in Spanish (revista train translate); default: made now.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=2, help="Only the first so many pictures.")] = None,
    settings: SettingsOption = None,
    predictions: PredictionsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare the strategies of the ranking, with print nearby that helps, that misleads, and without."""
    from dataclasses import replace

    from revista.evaluation.mixing import fit_mix
    from revista.evaluation.ranking import evaluate_ranking as measure
    from revista.settings import load_settings
    from revista.training.data import open_data

    chosen = load_settings(settings)
    found = open_data(data, images)
    printed = replace(found, captions=spanish) if spanish is not None else None
    if chosen.captions.language == "es":
        printed = found = printed or found
    split = split or ("dev" if fit else "test")
    with progress(as_json, "pictures") as bars:
        task = bars.add_task(data.name, total=len(found.names(split)[:limit]))
        run: Callable[..., Any] = fit_mix if fit else measure
        result = run(found, chosen, spanish=printed, split=split, limit=limit, on_picture=lambda: bars.advance(task))
    if not fit:
        _write_predictions(result.predictions, predictions)
    _tell(result, as_json, soft_wrap=fit)


@evaluate.command("keywords")
def evaluate_keywords(
    index: IndexArgument,
    boxes: Annotated[
        Literal["true", "found"], typer.Option(help="Pictures where people drew them, or where they are found.")
    ] = "true",
    settings: SettingsOption = None,
    predictions: PredictionsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure how many pictures are described with one of their keywords in an INDEX, and how many by chance."""
    from functools import partial

    from revista.evaluation.keywords import evaluate_keywords as measure

    _evaluate(partial(measure, boxes=boxes), index, settings, predictions, as_json)


def _evaluate(
    measure: Callable[..., Any],
    index: Path,
    settings: Path | None,
    predictions: Path | None,
    as_json: bool,
    held_out: bool = False,
) -> None:
    from revista.evaluation.index import read_index
    from revista.settings import load_settings

    chosen: Settings = load_settings(settings)
    entries = read_index(index)
    if held_out:
        from revista.cli_train import committed
        from revista.training.regions_config import RegionsConfig, is_held_out

        config = committed(RegionsConfig, "regions")
        entries = tuple(entry for entry in entries if is_held_out(entry, config))
    with progress(as_json) as bars:
        task = bars.add_task(index.name, total=len(entries))
        result = measure(entries, chosen, on_page=lambda: bars.advance(task))
    _write_predictions(result.predictions, predictions)
    if as_json:
        data = result.model_dump(mode="json", exclude={"predictions"})
        print_json({**data.pop("scores"), **data})
    else:
        out.print(result.table())


def _tell(result: Any, as_json: bool, soft_wrap: bool = False) -> None:
    """Print what was measured, without the predictions."""
    if as_json:
        print_json(result.model_dump(mode="json", exclude={"predictions"}))
    else:
        out.print(result.table(), soft_wrap=soft_wrap)


def _write_predictions(predictions: Sequence[Any], place: Path | None) -> None:
    from revista.store import storage_errors

    if place is not None:
        data = [prediction.model_dump(mode="json") for prediction in predictions]
        with storage_errors(place):
            place.write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", "utf-8")
