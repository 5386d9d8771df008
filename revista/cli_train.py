"""The command line of training: `revista train` and what is to learn."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from pydantic import BaseModel, ValidationError

from revista.errors import BadArguments

if TYPE_CHECKING:
    from revista.evaluation.index import IndexPage
    from revista.training.data import CaptionData
    from revista.training.pages.pictures import Photographs
    from revista.training.regions_config import RegionsConfig

train = typer.Typer(help="Train the small models that travel with the repository.", no_args_is_help=True)

CONFIGS = Path(__file__).parent / "training" / "configs"

DataArgument = Annotated[Path, typer.Argument(help="A folder with captions.tsv, train.txt and dev.txt.")]
ImagesOption = Annotated[Path | None, typer.Option(help="Folder or zip of images; default: the one in DATA.")]
CaptionsOption = Annotated[Path | None, typer.Option(help="Another captions.tsv than the one in DATA.")]
OutOption = Annotated[Path, typer.Option("--out", "-o", help="Folder of weights, checkpoint and report.")]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", help="Settings that differ from the committed ones.")
]
SeedOption = Annotated[int | None, typer.Option(help="Another seed than the config's.")]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda, mps.")]
ResumeOption = Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint in --out.")]
BeginOption = Annotated[Path | None, typer.Option("--from", help="Weights to begin with, instead of chance.")]
OnnxOption = Annotated[Path | None, typer.Option("--from", help="Weights to begin with: .safetensors, or .onnx.")]
RealOption = Annotated[
    list[Path] | None, typer.Option("--real", help="INDEX of real pages to learn from and measure on; repeatable.")
]
EncoderOption = Annotated[Path, typer.Option("--encoder", help="encoder.safetensors of: revista train encoder")]

ConfigT = TypeVar("ConfigT", bound=BaseModel)


def _config(cls: type[ConfigT], given: Path | None, name: str, seed: int | None) -> ConfigT:
    """The committed settings, and in place of some of them those in `given`."""
    usual = CONFIGS / f"{name}.toml"
    values: dict[str, Any] = {}
    try:
        for file in (usual, given) if given else (usual,):
            values |= tomllib.loads(file.read_text("utf-8"))
        return cls(**values | ({} if seed is None else {"seed": seed}))
    except OSError as error:
        raise BadArguments(f"{file}: {error.strerror}", "Check the path given to --config.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as error:
        raise BadArguments(f"{file}: {error}", f"Compare it with {usual}.") from error


def committed(cls: type[ConfigT], name: str) -> ConfigT:
    """The committed settings of a training."""
    return _config(cls, None, name, None)


def _data(folder: Path, images: Path | None, captions: Path | None) -> CaptionData:
    from revista.training.data import open_data

    data = open_data(folder, images)
    return replace(data, captions=captions) if captions else data


def _pages(
    data: Path, real: list[Path] | None, images: Path | None, config: Path | None, seed: int | None
) -> tuple[RegionsConfig, list[IndexPage], Photographs]:
    """What the detector's networks learn from: settings, real pages, and photographs for generated ones."""
    from revista.evaluation.index import read_index
    from revista.training import pages as generator
    from revista.training.regions_config import RegionsConfig

    settings = _config(RegionsConfig, config, "regions", seed)
    entries = [entry for index in real or () for entry in read_index(index)]
    return settings, entries, generator.from_captions(_data(data, images, None))


@train.command()
def encoder(
    data: DataArgument,
    teacher: Annotated[Path, typer.Option(help="A MobileNetV2 1.0 224 as .tflite, to learn from.")],
    out: OutOption = Path("training/encoder"),
    images: ImagesOption = None,
    config: ConfigOption = None,
    begin: BeginOption = None,
    seed: SeedOption = None,
    device: DeviceOption = "auto",
    resume: ResumeOption = False,
) -> None:
    """Let the image encoder learn from a teacher network."""
    from revista.devices import pick_device
    from revista.training import encoder as training
    from revista.training.report import write_report

    settings = _config(training.EncoderConfig, config, "encoder", seed)
    opened = _data(data, images, None)
    history = training.train(opened, teacher, settings, out, pick_device(device), resume, begin)
    write_report(out / "report.html", "Image encoder", settings.model_dump(), history)


@train.command()
def translate(
    data: DataArgument,
    out: Annotated[Path, typer.Option("--out", "-o", help="The table to write.")] = Path("training/captions_es.tsv"),
    captions: CaptionsOption = None,
    images: ImagesOption = None,
) -> None:
    """Translate captions into Spanish, to learn from them."""
    from revista.training.translation import translate_captions

    count = translate_captions(_data(data, images, captions), out)
    typer.echo(f"{count} captions in {out}")


@train.command()
def captioner(
    data: DataArgument,
    encoder: EncoderOption,
    out: OutOption = Path("training/captioner"),
    captions: CaptionsOption = None,
    images: ImagesOption = None,
    config: ConfigOption = None,
    begin: BeginOption = None,
    seed: SeedOption = None,
    device: DeviceOption = "auto",
    resume: ResumeOption = False,
) -> None:
    """Train the captioner; its checkpoint is the folder `model` in --out."""
    from revista.devices import pick_device
    from revista.training import captioner as training
    from revista.training.report import Sample, write_report

    settings = _config(training.CaptionerConfig, config, "captioner", seed)
    opened = _data(data, images, captions)
    made, history = training.train(opened, encoder, settings, out, pick_device(device), resume, begin)
    said = made.write(made.dev, 0, 24)
    samples = [Sample(opened.read(name), (text, *opened.texts[name][:1])) for name, text in said.items()]
    write_report(out / "report.html", "Captioner", settings.model_dump(), history, samples)


@train.command()
def clip(
    data: DataArgument,
    spanish: Annotated[Path, typer.Option(help="Captions in Spanish, of: revista train translate")],
    encoder: EncoderOption,
    out: OutOption = Path("training/clip"),
    captions: CaptionsOption = None,
    images: ImagesOption = None,
    config: ConfigOption = None,
    begin: BeginOption = None,
    seed: SeedOption = None,
    device: DeviceOption = "auto",
    resume: ResumeOption = False,
) -> None:
    """Train the dual encoder; its checkpoint is the folder `model` in --out."""
    from revista.devices import pick_device
    from revista.training import clip as training
    from revista.training.report import Sample, write_report

    settings = _config(training.ClipConfig, config, "clip", seed)
    english, foreign = _data(data, images, captions), _data(data, images, spanish)
    made, history = training.train(english, foreign, encoder, settings, out, pick_device(device), resume, begin)
    seen, read, _ = made.vectors(made.dev, 0, made.dev_texts[1])
    flat = [text for many in made.dev_texts[1] for text in many]
    nearest = (seen[:24] @ read.T).topk(min(2, len(flat)), dim=1).indices.tolist()
    samples = [
        Sample(english.read(name), tuple(flat[i] for i in rows))
        for name, rows in zip(made.dev.names, nearest, strict=False)
    ]
    write_report(out / "report.html", "Dual encoder", settings.model_dump(), history, samples)


@train.command()
def pages(
    data: DataArgument,
    out: Annotated[Path, typer.Option("--out", "-o", help="A new folder for the pages and their index.json.")],
    images: ImagesOption = None,
    count: Annotated[int, typer.Option(min=1, help="How many.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Another seed gives other pages.")] = 0,
    height: Annotated[int, typer.Option(min=300, max=4000, help="Of a page, in pixels.")] = 2000,
    split: Annotated[str, typer.Option(help="Whose photographs they show: train, dev or test.")] = "dev",
    layout: Annotated[
        list[str] | None, typer.Option(help="Only pages of this kind (revista/training/pages/layouts.py); repeatable.")
    ] = None,
    scanned_low: Annotated[bool, typer.Option("--low", help="Some as poor scans, down to 480 pixels high.")] = False,
) -> None:
    """Make magazine pages with the truth of what is on them, as an INDEX to measure against."""
    from revista.terminal import progress
    from revista.training import pages as generator

    source = generator.from_captions(_data(data, images, None), split)
    with progress(False, "pages") as bars:
        task = bars.add_task(out.name, total=count)
        index = generator.write(
            out, count, seed, source, height, scanned_low, tuple(layout or ()), lambda: bars.advance(task)
        )
    typer.echo(str(index))


@train.command()
def regions(
    data: DataArgument,
    real: RealOption = None,
    out: OutOption = Path("training/regions"),
    images: ImagesOption = None,
    config: ConfigOption = None,
    begin: Annotated[
        Path | None,
        typer.Option("--from", help="Weights to begin with: .safetensors, .onnx, or a detector's folder with both."),
    ] = None,
    seed: SeedOption = None,
    device: DeviceOption = "auto",
    resume: ResumeOption = False,
) -> None:
    """Train the detector of pictures and print, on generated pages and real ones; the folder `model` in --out is it."""
    from revista.devices import pick_device
    from revista.training import regions as training
    from revista.training.report import write_report

    settings, entries, source = _pages(data, real, images, config, seed)
    history = training.train(entries, source, settings, out, pick_device(device), resume, begin)
    write_report(out / "report.html", "Regions", settings.model_dump(), history)


@train.command()
def refine(
    data: DataArgument,
    real: RealOption = None,
    out: OutOption = Path("training/refine"),
    images: ImagesOption = None,
    config: ConfigOption = None,
    network: Annotated[str, typer.Option(help="A registered model, or a folder with model.onnx.")] = "compact-regions",
    begin: OnnxOption = None,
    seed: SeedOption = None,
    resume: ResumeOption = False,
) -> None:
    """Train only what moves the borders of proposed pictures: `model/refine.onnx` in --out."""
    from revista.regions.looking import session
    from revista.training import refining as training
    from revista.training.report import write_report
    from revista.weights import ONNX, find_weights

    settings, entries, source = _pages(data, real, images, config, seed)
    pages = session(find_weights(network).folder / ONNX)
    history = training.train(entries, source, settings, out, pages, resume, begin)
    write_report(out / "report.html", "Borders", settings.model_dump(), history)


@train.command()
def looks(
    data: DataArgument,
    real: RealOption = None,
    out: OutOption = Path("training/looks"),
    images: ImagesOption = None,
    config: ConfigOption = None,
    seed: SeedOption = None,
    resume: ResumeOption = False,
) -> None:
    """Train only what tells photographs, drawings, advertisements and ornaments apart: `model/looks.onnx` in --out."""
    from revista.training import looks as training
    from revista.training.report import write_report

    settings, entries, source = _pages(data, real, images, config, seed)
    history = training.train(entries, source, settings, out, resume)
    write_report(out / "report.html", "Looks", settings.model_dump(), history)
