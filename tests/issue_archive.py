"""An archive made from records alone, with drawn pages and hostile print, for the tests of view and report.

Page 1: two pictures that share a caption, described by a model. Page 2: a picture without a model, a torn word and
right-to-left print. Page 3 could not be had. Page 4 has text and no picture. On page 5 only stages 1 and 2 have run.
"""

from __future__ import annotations

import hashlib
import math
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image, ImageDraw

from revista.errors import Category
from revista.geometry import Box
from revista.records import (
    Body,
    Candidate,
    Candidates,
    Contexts,
    Description,
    Descriptions,
    Evidence,
    Flag,
    FlagKind,
    Header,
    Issue,
    Line,
    Page,
    PageText,
    Paragraph,
    PictureCandidates,
    PictureContext,
    PictureRanking,
    Problem,
    Quote,
    Ranking,
    Record,
    Region,
    RegionKind,
    Regions,
    ScoredCandidate,
    Sentence,
    Source,
    Word,
)
from revista.store import Archive

ISSUE = "social-1916-09"
SCRIPT = "<script>window.hostile = 1; document.title = 'tomado'</script>"
IMAGE_TAG = '"><img src="https://example.invalid/x.png" onerror="window.hostile = 2">'
HEBREW = "\u202eשלום לכולם \u05d0\u05d1\u05d2"
LONG = "Electroencefalografista" * 12
ESCAPE = "rojo\x1b[31m\x07fin"
NO_WEIGHTS = "not described by a model: no captioner weights"
ORIGINAL = "a woman in a white dress standing in a garden"
WIDTH, HEIGHT = 1200, 1600

LEFT, RIGHT = Box(120, 200, 560, 760), Box(640, 200, 1080, 760)
CAPTION, TITLE = Box(150, 800, 1050, 850), Box(300, 70, 900, 150)
COLUMNS = Box(120, 900, 580, 1480), Box(620, 900, 1080, 1480)
FOLIO = Box(570, 1520, 630, 1560)


def header(stage: str, **more: object) -> Header:
    fields: dict[str, object] = {
        "options": {"min_confidence": 0.5},
        "software": {"pillow": "13.0"},
        "created": datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
        "seconds": 1.5,
    }
    return Header(stage=stage, version="1", **{**fields, **more})  # type: ignore[arg-type]


def draw_page(file: Path, boxes: tuple[Box, ...], columns: tuple[Box, ...]) -> str:
    """A yellowed page with drawn photographs and grey lines of print; returns its sha256."""
    image = Image.new("RGB", (WIDTH, HEIGHT), (240, 230, 208))
    pen = ImageDraw.Draw(image)
    for box in boxes:
        for y in range(box.top, box.bottom, 4):
            shade = int(110 + 70 * math.sin((y - box.top) / 70))
            pen.rectangle((box.left, y, box.right, y + 4), fill=(shade, shade - 10, shade - 25))
        x, y = map(int, box.centre)
        pen.ellipse((x - 90, y - 120, x + 90, y + 60), fill=(214, 196, 168))
        pen.polygon([(x - 150, box.bottom), (x, y), (x + 150, box.bottom)], fill=(52, 44, 38))
    for column in columns:
        for y in range(column.top, column.bottom - 12, 24):
            pen.rectangle((column.left, y, column.right - (y * 37) % 60, y + 11), fill=(96, 86, 74))
    file.parent.mkdir(parents=True, exist_ok=True)
    image.save(file, "JPEG", quality=88)
    return hashlib.sha256(file.read_bytes()).hexdigest()


def words(text: str, box: Box, confidence: float = 0.93) -> tuple[Word, ...]:
    return tuple(Word(text=word, box=box, confidence=confidence) for word in text.split())


def paragraph(name: str, text: str, box: Box) -> Paragraph:
    return Paragraph(id=name, lines=(Line(words=words(text, box), box=box),), box=box)


def quote(text: str, page: int, box: Box, uncertain: tuple[int, ...] = ()) -> Quote:
    return Quote(text=text, page=page, boxes=(box,), confidence=0.88, uncertain=uncertain)


def region(page: int, number: int, kind: RegionKind, box: Box, confidence: float = 0.91) -> Region:
    return Region(id=f"{page:04d}-r{number:02d}", kind=kind, box=box, confidence=confidence, detector="opencv")


def fill(root: Path) -> Archive:
    """The archive described above, in the folder `root`."""
    archive = Archive(root, create=True)
    with archive:
        _write_issue(archive)
        _write_described_page(archive)
        _write_hostile_page(archive)
        _write_plain_pages(archive)
    return archive


def _put(archive: Archive, stage: str, page: int, body: Body, **more: object) -> None:
    archive.write(ISSUE, stage, page, Record[type(body)](header=header(stage, **more), body=body))  # type: ignore[misc]


def _write_issue(archive: Archive) -> None:
    issue = Issue(
        id=ISSUE,
        title="Social",
        year=1916,
        month=9,
        volume=1,
        number=9,
        source_name="ohcbh_ch_social1916_9_v1_n9.pdf",
        source_sha256="ab" * 32,
        source_bytes=1_234_567,
        page_count=5,
    )
    archive.write_issue(Record[Issue](header=header("issue"), body=issue))


def _page(archive: Archive, number: int, boxes: tuple[Box, ...], columns: tuple[Box, ...] = COLUMNS) -> None:
    name = f"{number:04d}.jpg"
    file = archive.page_image(ISSUE, name)
    digest = draw_page(file, boxes, columns)
    for at, box in enumerate(boxes, start=1):
        place = archive.picture_file(ISSUE, f"{number:04d}-r{at:02d}")
        place.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(file) as image:
            image.crop(box).save(place, "JPEG", quality=92)
    page = Page(number=number, image=name, image_sha256=digest, width=WIDTH, height=HEIGHT, dpi=150, origin="embedded")
    _put(archive, "pages", number, page)


def _write_described_page(archive: Archive) -> None:
    _page(archive, 1, (LEFT, RIGHT))
    names = ("0001-r01", "0001-r02")
    caption = "La señorita Rosa Güell y su hermana, en el jardín de su casa del Vedado."
    passage = "la fiesta se celebró en los jardines, bajo los faroles venecianos"
    _put(
        archive,
        "regions",
        1,
        Regions(
            regions=(
                region(1, 1, RegionKind.PICTURE, LEFT),
                region(1, 2, RegionKind.PICTURE, RIGHT),
                region(1, 3, RegionKind.TITLE, TITLE),
                region(1, 4, RegionKind.CAPTION, CAPTION),
                region(1, 5, RegionKind.TEXT, COLUMNS[0]),
                region(1, 6, RegionKind.TEXT, COLUMNS[1]),
                region(1, 7, RegionKind.FURNITURE, FOLIO),
            )
        ),
        weights={"layout_cdla.onnx": "cd" * 32},
    )
    _put(
        archive,
        "text",
        1,
        PageText(
            paragraphs=(
                paragraph("0001-p01", "NOTAS DEL GRAN MUNDO", TITLE),
                paragraph("0001-p02", f"En la noche del sábado {passage}, y concurrió lo más selecto.", COLUMNS[0]),
                paragraph("0001-p03", "Se bailó hasta el alba al compás de la orquesta del maestro.", COLUMNS[1]),
            )
        ),
        software={"tesseract": "5.3.0"},
    )
    contexts = tuple(
        PictureContext(
            picture=name,
            box=box,
            caption=quote(caption, 1, CAPTION, uncertain=(3,)),
            caption_confidence=0.86,
            caption_shared_with=tuple(other for other in names if other != name),
            heading=quote("NOTAS DEL GRAN MUNDO", 1, TITLE),
            after=(quote(f"En la noche del sábado {passage}", 1, COLUMNS[0]),),
            windows=(quote(passage, 1, COLUMNS[0]),),
        )
        for name, box in zip(names, (LEFT, RIGHT), strict=True)
    )
    _put(archive, "context", 1, Contexts(pictures=contexts))
    spoken = Candidate(text=ORIGINAL, language="en", source="captioner", log_probability=-0.8)
    other = Candidate(text="a man with a hat", language="en", source="captioner", seed=1, log_probability=-1.9)
    window = Candidate(text=passage, language="es", source="window", quote=quote(passage, 1, COLUMNS[0]))
    _put(
        archive,
        "captions",
        1,
        Candidates(
            captioner="blip-base",
            pictures=tuple(PictureCandidates(picture=name, candidates=(spoken, other)) for name in names),
        ),
        weights={"model.safetensors": "ef" * 32},
    )
    chosen = ScoredCandidate(candidate=spoken, similarity=0.271, probability=0.84)
    best = ScoredCandidate(candidate=window, similarity=0.244, probability=0.71)
    ranked = (chosen, best, ScoredCandidate(candidate=other, similarity=0.19, probability=0.16))
    _put(
        archive,
        "ranking",
        1,
        Ranking(
            ranker="clip-base",
            pictures=tuple(PictureRanking(picture=name, ranked=ranked, chosen=chosen, window=best) for name in names),
        ),
    )
    descriptions = tuple(
        Description(
            picture=name,
            box=box,
            sentences=(
                Sentence(
                    text="Una mujer con un vestido blanco de pie en un jardín.",
                    source=Source.SEEN,
                    evidence=Evidence(page=1, boxes=(box,), confidence=0.84, model="blip-base", original=ORIGINAL),
                ),
                Sentence(
                    text=f"El pie impreso dice: «{caption}»",
                    source=Source.CAPTION,
                    evidence=Evidence(page=1, boxes=(CAPTION,), confidence=0.86),
                ),
                Sentence(
                    text=f"Cerca de la imagen se lee: «{passage}».",
                    source=Source.ARTICLE,
                    evidence=Evidence(page=1, boxes=(COLUMNS[0],), confidence=0.71, model="clip-base"),
                    flags=(Flag(kind=FlagKind.SENSITIVE, term=passage.split()[0], note="Raza: nota <b>"),),
                ),
            ),
        )
        for name, box in zip(names, (LEFT, RIGHT), strict=True)
    )
    _put(archive, "descriptions", 1, Descriptions(pictures=descriptions))


def _write_hostile_page(archive: Archive) -> None:
    box, name = LEFT.union(RIGHT), "0002-r01"
    _page(archive, 2, (box,))
    regions = (region(2, 1, RegionKind.PICTURE, box, 0.64), region(2, 2, RegionKind.TEXT, COLUMNS[0], 0.7))
    trouble = Problem(
        stage="regions",
        category=Category.REDUCED,
        message=f"one detector gave up: {SCRIPT}",
        hint="Run: revista doctor",
        page=2,
        item="0002-r02",
    )
    _put(archive, "regions", 2, Regions(regions=regions, problems=(trouble,)))
    texts = (SCRIPT, IMAGE_TAG, HEBREW, LONG, ESCAPE, "{{ 7 * 7 }} {% raw %} [bold]corchetes[/bold] & 'comillas'")
    paragraphs = tuple(paragraph(f"0002-p{i:02d}", text, COLUMNS[0]) for i, text in enumerate(texts, start=1))
    _put(archive, "text", 2, PageText(paragraphs=paragraphs))
    # the detector saw no caption here: the text gave it
    caption = quote(f"{SCRIPT} {IMAGE_TAG} {HEBREW}", 2, CAPTION)
    context = PictureContext(picture=name, box=box, caption=caption, caption_confidence=0.7)
    _put(archive, "context", 2, Contexts(pictures=(context,)))
    _put(archive, "captions", 2, Candidates(pictures=(PictureCandidates(picture=name, reason=NO_WEIGHTS),)))
    ranking = PictureRanking(picture=name, reason="a reason nobody has translated")
    _put(archive, "ranking", 2, Ranking(pictures=(ranking,)))
    evidence = Evidence(page=2, boxes=(CAPTION,), confidence=0.7)
    sentence = Sentence(text=f"El pie impreso dice: «{caption.text} {LONG}»", source=Source.CAPTION, evidence=evidence)
    description = Description(picture=name, box=box, sentences=(sentence,), undescribed=NO_WEIGHTS)
    _put(archive, "descriptions", 2, Descriptions(pictures=(description,)))


def _write_plain_pages(archive: Archive) -> None:
    lost = Problem(
        stage="pages",
        category=Category.TIMEOUT,
        message="pdftoppm did not finish in 50 s",
        hint="Run the same command again.",
        page=3,
    )
    _put(archive, "pages", 3, Page(number=3, problems=(lost,)))
    _page(archive, 4, (), (Box(120, 120, 580, 1480), Box(620, 120, 1080, 1480)))
    _put(archive, "regions", 4, Regions(regions=(region(4, 1, RegionKind.TEXT, COLUMNS[0]),)))
    printed = ("Solo texto hay en esta pá-", "gina, y una raya —", "que no parte nada -")
    lines = tuple(Line(words=words(text, COLUMNS[0]), box=COLUMNS[0]) for text in printed)
    _put(
        archive,
        "text",
        4,
        PageText(paragraphs=(Paragraph(id="0004-p01", lines=lines, box=COLUMNS[0]),)),
    )
    _put(archive, "context", 4, Contexts())
    _put(archive, "captions", 4, Candidates(captioner="blip-base"))
    _put(archive, "ranking", 4, Ranking(ranker="clip-base"))
    _put(archive, "descriptions", 4, Descriptions())
    _page(archive, 5, (RIGHT,))
    _put(archive, "regions", 5, Regions(regions=(region(5, 1, RegionKind.PICTURE, RIGHT, 0.55),)))
