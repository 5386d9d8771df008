"""The pages of the issue, each composed by one function from `content`, `photographs` and `drawings`."""

from collections.abc import Sequence

from PIL import Image, ImageDraw

from . import content, drawings, photographs
from .sheet import BARE, HEIGHT, INKED, WIDTH, Box, Face, Line, Sheet
from .typeset import Paragraph, Style, balanced, block, flow

LEFT, RIGHT, TOP, BOTTOM = 105, WIDTH - 105, 130, HEIGHT - 130
MIDDLE, GUTTER = WIDTH // 2, 50

BODY = Style(Face("roman", 42), leading=49)
CAPTION = Style(Face("roman", 34), leading=42)
CREDIT = Face("italic", 30)
TITLE = Face("title", 64, tracking=15)
BYLINE = Face("title", 34, tracking=7)


def _columns(top: int, bottom: int) -> list[Box]:
    """Return the two columns of a text page."""
    return [(LEFT, top, MIDDLE - GUTTER // 2, bottom), (MIDDLE + GUTTER // 2, top, RIGHT, bottom)]


def _folio(sheet: Sheet, number: int) -> None:
    sheet.set_line(str(number), MIDDLE, HEIGHT - 70, Face("roman", 34))


def _heading(sheet: Sheet, title: str, author: str = "") -> None:
    """Print a letterspaced title over a double rule."""
    sheet.set_line(title, MIDDLE, TOP + 40, TITLE)
    if author:
        sheet.set_line(author, MIDDLE, TOP + 104, BYLINE)
    y = TOP + (134 if author else 78)
    sheet.pen().rectangle((LEFT, y, RIGHT, y + 4), INKED)
    sheet.pen().line((LEFT, y + 10, RIGHT, y + 10), INKED, 2)


def _opening(sheet: Sheet, text: Sequence[Paragraph], columns: Sequence[Box], holes: Sequence[Box]) -> list[Paragraph]:
    """Run a text through columns, its first letter three lines high; return what did not fit."""
    letter, face = text[0].text[0], Face("bold", BODY.leading * 3 + 30)
    left, top = columns[0][:2]
    baseline = top + 2 * BODY.leading + BODY.leading * 3 // 4
    sheet.pen().text((left, baseline), letter, INKED, face.font, anchor="ls")
    kept_free = (left, top, left + face.width(letter) + 12, top + 3 * BODY.leading)
    first = len(sheet.lines)
    rest = [Paragraph(text[0].text[1:], indent=False), *text[1:]]
    left_over = flow(sheet, rest, columns, BODY, [kept_free, *holes])
    # The big letter is read as the beginning of the line that it heads.
    sheet.lines[first] = Line(letter + sheet.lines[first].text, sheet.lines[first].box)
    return left_over


def _grown(box: Box, by: int) -> Box:
    return (box[0] - by, box[1] - by, box[2] + by, box[3] + by)


def contents_page(sheet: Sheet) -> None:
    """Masthead, woodcut headpiece, the contents with dotted leaders, a basket of roses below."""
    sheet.set_line("SOCIAL", MIDDLE, TOP + 120, Face("title", 170, tracking=60))
    sheet.set_line("REVISTA MENSUAL ILUSTRADA", MIDDLE, TOP + 190, BYLINE)
    headpiece = sheet.place(drawings.seascape(RIGHT - LEFT, 440), (LEFT, TOP + 230))
    sheet.illustrate(headpiece, "ornament", "paisaje", "mar", "palmeras", "puesta de sol", "velero")
    sheet.set_line("SUMARIO", MIDDLE, TOP + 790, TITLE)
    face, y = Face("roman", 44), TOP + 890
    for title, number in content.CONTENTS:
        first, last = LEFT + 40 + face.width(title), RIGHT - 40 - face.width(number)
        dots = (last - first - 40) // 22
        for x in range(last - 30, last - 30 - 22 * dots, -22):
            sheet.pen().ellipse((x, y - 5, x + 4, y - 1), fill=INKED)
        sheet.set_words([(title, LEFT + 40), (number, last)], y, face)
        y += 78
    tail = drawings.basket(640, 330)
    box = sheet.place(tail, (MIDDLE - tail.width // 2, 1450))
    sheet.illustrate(box, "ornament", "cesta", "rosas", "flores", "hojas")
    sheet.pen().rectangle((LEFT, 1830, RIGHT, 1833), INKED)
    sheet.set_line("VOLUMEN I — NÚMERO 9 — SEPTIEMBRE DE 1916", MIDDLE, 1890, Face("title", 36, tracking=5))
    sheet.set_line("Número de muestra, compuesto para ensayos.", MIDDLE, 1946, Face("italic", 36))
    _folio(sheet, 3)


def portrait_page(sheet: Sheet) -> None:
    """A full-page portrait in a frame, its name in letterspaced capitals, the photographer in italics."""
    size = (1160, 1400)
    left, top = MIDDLE - size[0] // 2, 210
    tone = photographs.crop("astronaut", (72, 0, 342, 326), size, lift=0.92)
    tone = photographs.vignette(tone, (-160, -190, size[0] + 160, size[1] + 190), ground=78, softness=260)
    box = sheet.place(photographs.halftone(tone), (left, top))
    outer = sheet.frame(box, ((4, 4), (28, 3), (40, 10), (50, 2)))
    portrait = sheet.illustrate(outer, "photograph", "retrato", "mujer", "aviadora", "traje de vuelo")
    name = sheet.set_line(content.PORTRAIT_TITLE, MIDDLE, outer[3] + 110, Face("title", 54, tracking=16))
    note = sheet.set_line(content.PORTRAIT_NOTE, MIDDLE, outer[3] + 176, Face("roman", 36))
    credit = sheet.set_line(content.PORTRAIT_CREDIT, outer[2], outer[3] + 240, CREDIT, align="right")
    sheet.caption(" ".join(line.text for line in (name, note, credit)), [name, note, credit], portrait)
    _folio(sheet, 4)


def story_page(sheet: Sheet) -> list[Paragraph]:
    """Two columns that run around a pen drawing without caption; returns the rest of the story."""
    _heading(sheet, content.STORY_TITLE, content.STORY_AUTHOR)
    drawing = drawings.fan(700, 500)
    left = MIDDLE - drawing.width // 2
    box = (left, 1014, left + drawing.width, 1014 + drawing.height)
    rest = _opening(sheet, content.STORY, _columns(TOP + 180, BOTTOM), [_grown(box, 24)])
    sheet.illustrate(sheet.place(drawing, box[:2]), "drawing", "abanico", "flores", "rosas", "borla")
    _folio(sheet, 5)
    return rest


def text_page(sheet: Sheet, story: Sequence[Paragraph]) -> None:
    """Nothing but text: the end of the story in two even columns."""
    columns = balanced(story, _columns(TOP - 20, BOTTOM), BODY)
    flow(sheet, story, columns, BODY)
    end = columns[0][3] + 34
    pen = sheet.pen()
    pen.line((MIDDLE - 220, end, MIDDLE - 30, end), INKED, 3)
    pen.line((MIDDLE + 30, end, MIDDLE + 220, end), INKED, 3)
    pen.polygon([(MIDDLE, end - 14), (MIDDLE + 14, end), (MIDDLE, end + 14), (MIDDLE - 14, end)], fill=INKED)
    _folio(sheet, 6)


def contest_page(sheet: Sheet) -> None:
    """Four photographs, one of them askew, with two captions that each serve two of them."""
    _heading(sheet, content.CONTEST_TITLE)
    sheet.set_line(content.CONTEST_NOTE, MIDDLE, TOP + 136, Face("italic", 40))
    cat = photographs.halftone(photographs.crop("chelsea", (20, 0, 420, 300), (690, 520)))
    pavilion = photographs.halftone(photographs.crop("china", (20, 0, 420, 427), (690, 740), lift=0.85))
    roof = photographs.crop("china", (150, 20, 350, 232), (640, 680), lift=0.9)
    dahlia = photographs.halftone(photographs.crop("flower", (170, 30, 510, 420), (690, 700)))
    boxes = [
        sheet.frame(sheet.place(cat, (LEFT, 330)), ((0, 3),)),
        sheet.frame(sheet.place(pavilion, (RIGHT - 690, 330)), ((0, 3),)),
        sheet.place(_print_askew(photographs.halftone(roof)), (LEFT - 15, 890)),
        sheet.frame(sheet.place(dahlia, (RIGHT - 690, 1110)), ((0, 3),)),
    ]
    indices = [
        sheet.illustrate(boxes[0], "photograph", "gato", "animal doméstico"),
        sheet.illustrate(boxes[1], "photograph", "pabellón", "China", "lago", "árboles", "arquitectura"),
        sheet.illustrate(boxes[2], "photograph", "tejado", "pabellón", "arquitectura"),
        sheet.illustrate(boxes[3], "photograph", "dalia", "flor"),
    ]
    first = block(sheet, content.CONTEST_FIRST, (LEFT, 1840, RIGHT, BOTTOM), CAPTION)
    second = block(sheet, content.CONTEST_SECOND, (LEFT, 1938, RIGHT, BOTTOM), CAPTION)
    sheet.caption(content.CONTEST_FIRST, first, *indices[:2])
    sheet.caption(content.CONTEST_SECOND, second, *indices[2:])
    _folio(sheet, 7)


def _print_askew(picture: Image.Image) -> Image.Image:
    """Return a picture with a white border and a thin edge, turned as if pasted up by hand."""
    mounted = Image.new("L", (picture.width + 36, picture.height + 36), BARE)
    mounted.paste(picture, (18, 18))
    ImageDraw.Draw(mounted).rectangle((0, 0, mounted.width - 1, mounted.height - 1), outline=INKED, width=3)
    return photographs.tilted(mounted, 5)


def advertisement_page(sheet: Sheet) -> None:
    """A full-page advertisement in two inks: a frame, an engraved cup, the brand in capitals."""
    sheet.ink = (36, 50, 96)
    frame = (150, 140, WIDTH - 150, HEIGHT - 170)
    sheet.frame(frame, ((0, 10),), second=True)
    sheet.frame(frame, ((-24, 3), (-34, 3)))
    upper, lower = content.COFFEE_BRAND
    sheet.set_line(upper, MIDDLE, 350, Face("bold", 120, tracking=50))
    sheet.set_line(lower, MIDDLE, 500, Face("bold", 138, tracking=14))
    sheet.pen(second=True).rectangle((MIDDLE - 300, 550, MIDDLE + 300, 556), INKED)
    side = 800
    tone = photographs.crop("coffee", (120, 0, 500, 380), (side, side), lift=1.25)
    tone = photographs.vignette(tone, (0, 0, side, side))
    cup = sheet.place(photographs.engraving(tone, ((8, 5), (-5, 8)), seed=9), (MIDDLE - side // 2, 610))
    sheet.pen().ellipse(_grown(cup, 8), outline=INKED, width=6)
    sheet.pen(second=True).ellipse(_grown(cup, 26), outline=INKED, width=9)
    sheet.set_line(content.COFFEE_MOTTO, MIDDLE, 1540, Face("italic", 66))
    block(sheet, content.COFFEE_PRAISE, (330, 1580, WIDTH - 330, 1800), Style(Face("roman", 44), 56), centred=True)
    house, address = content.COFFEE_HOUSE
    sheet.set_line(house, MIDDLE, 1860, Face("bold", 52))
    sheet.set_line(address, MIDDLE, 1930, Face("title", 38, tracking=5))
    # As in the magazine's own index, the whole framed page counts as the picture.
    sheet.illustrate(frame, "advertisement", "anuncio", "café", "taza", "plato", "cuchara")


def chronicle_page(sheet: Sheet) -> None:
    """Two columns with a portrait in an oval in each, every one with its caption and its photographer."""
    _heading(sheet, content.CHRONICLE_TITLE, content.CHRONICLE_AUTHOR)
    columns = _columns(TOP + 180, BOTTOM)
    camera_box = (LEFT + 88, 850, LEFT + 88 + 520, 850 + 510)
    officer_box = (RIGHT - 608, 545, RIGHT - 88, 545 + 590)
    holes = []
    for box, column in ((camera_box, columns[0]), (officer_box, columns[1])):
        holes.append((column[0], box[1] - 36, column[2], box[3] + 126))
    left_over = _opening(sheet, content.CHRONICLE, columns, holes)
    if left_over:
        raise ValueError(f"The chronicle is too long for its page: {left_over[0].text!r} does not fit.")
    for name, part, box, keywords, caption, credit in (
        (
            "camera",
            (60, 30, 420, 400),
            camera_box,
            ("hombre", "fotógrafo", "cámara", "trípode", "campo"),
            content.CAMERA_CAPTION,
            content.CAMERA_CREDIT,
        ),
        (
            "hopper",
            (120, 10, 440, 400),
            officer_box,
            ("retrato", "mujer", "uniforme", "marina"),
            content.OFFICER_CAPTION,
            content.OFFICER_CREDIT,
        ),
    ):
        size = (box[2] - box[0], box[3] - box[1])
        tone = photographs.vignette(photographs.crop(name, part, size), (0, 0, *size))
        sheet.place(photographs.halftone(tone), box[:2])
        ring = _grown(box, 14)
        for distance, thickness in ((2, 3), (14, 6)):
            sheet.pen().ellipse(_grown(box, distance), outline=INKED, width=thickness)
        index = sheet.illustrate(ring, "photograph", *keywords)
        centre = (box[0] + box[2]) // 2
        lines = [sheet.set_line(caption, centre, box[3] + 62, Face("roman", 30))]
        lines.append(sheet.set_line(credit, box[2] + 40, box[3] + 104, CREDIT, align="right"))
        sheet.caption(f"{caption} {credit}", lines, index)
    # The captions are read where they stand in their columns, not after both.
    sheet.lines.sort(key=lambda line: (line.box[1] > columns[0][1], line.box[0] > MIDDLE, line.box[1]))
    _folio(sheet, 9)


def collection_page(sheet: Sheet) -> None:
    """A photograph without caption over two columns; a saddler's advertisement at the foot of the second."""
    _heading(sheet, content.COLLECTION_TITLE)
    coins = photographs.halftone(photographs.crop("coins", (4, 2, 380, 158), (1200, 498)))
    box = sheet.frame(sheet.place(coins, (MIDDLE - 600, 270)), ((8, 3), (20, 6)))
    sheet.illustrate(box, "photograph", "monedas", "numismática", "colección")
    columns = _columns(850, BOTTOM)
    notice = (columns[1][0] + 6, 1310, RIGHT, BOTTOM - 20)
    left_over = _opening(sheet, content.COLLECTION, columns, [_grown(notice, 20)])
    if left_over:
        raise ValueError(f"The article is too long for its page: {left_over[0].text!r} does not fit.")
    sheet.frame(notice, ((0, 6), (-12, 2)))
    centre = (notice[0] + notice[2]) // 2
    upper, lower = content.SADDLER_NAME
    sheet.set_line(upper, centre, notice[1] + 84, Face("title", 46, tracking=10))
    sheet.set_line(lower, centre, notice[1] + 150, Face("bold", 62, tracking=6))
    horse = _silhouette((400, 328))
    horse_box = sheet.place(horse, (centre - horse.width // 2, notice[1] + 180))
    # Here only the picture counts: the notice shares its page with other matter.
    sheet.illustrate(horse_box, "advertisement", "caballo", "silueta", "anuncio")
    block(sheet, content.SADDLER_GOODS, (notice[0] + 40, horse_box[3] + 16, notice[2] - 40, 0), CAPTION, centred=True)
    sheet.set_line(content.SADDLER_ADDRESS, centre, notice[3] - 34, Face("italic", 38))
    _folio(sheet, 10)


def _silhouette(size: tuple[int, int]) -> Image.Image:
    """Return the horse in black, as cut from paper."""
    with Image.open(photographs.PHOTOGRAPHS["horse"].locate()) as horse:
        flat = Image.alpha_composite(Image.new("RGBA", horse.size, "white"), horse.convert("RGBA"))
    return flat.convert("L").resize(size, Image.Resampling.BICUBIC)


def draw_issue() -> list[Sheet]:
    """Draw every page, in order."""
    sheets = [Sheet() for _ in range(8)]
    contents_page(sheets[0])
    portrait_page(sheets[1])
    text_page(sheets[3], story_page(sheets[2]))
    contest_page(sheets[4])
    advertisement_page(sheets[5])
    chronicle_page(sheets[6])
    collection_page(sheets[7])
    return sheets
