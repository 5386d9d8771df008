"""The report of an issue: what is in the file, and what a browser makes of it."""

import base64
import io
import os
import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from revista import captions, pipeline, ranking, report
from revista.errors import BadArguments, Category, StorageError
from revista.geometry import Box
from revista.records import BODIES, Contexts, Issue, Record, RegionKind, Source
from revista.report import drawing, spanish, write_report
from revista.store import Archive
from revista.view import read_view
from tests.browser import LACKING, chromium, network
from tests.issue_archive import CAPTION, HEBREW, HEIGHT, IMAGE_TAG, ISSUE, LONG, ORIGINAL, SCRIPT, TITLE, WIDTH, fill

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Outline(HTMLParser):
    """All elements with their attributes and text, and every tag that is opened and closed out of turn."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.faults: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        self.faults += [f"<{tag}> never closed" for tag in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if len(dict(attrs)) != len(attrs):
            self.faults.append(f"<{tag}> has an attribute twice")
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing, at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1] not in ("script", "style"):
            self.text.append(data)

    def values(self, name: str, tag: str | None = None) -> list[str]:
        return [value for at, attrs in self.elements if tag in (None, at) and (value := attrs.get(name)) is not None]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return fill(tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def file(archive: Archive, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(archive, ISSUE, tmp_path_factory.mktemp("out") / "informe.html")


@pytest.fixture(scope="module")
def html(file: Path) -> str:
    return file.read_text("utf-8")


@pytest.fixture(scope="module")
def outline(html: str) -> Outline:
    return Outline(html)


# --- the file -------------------------------------------------------------------------------------------------


def test_html_is_well_formed(outline: Outline) -> None:
    assert outline.faults == []
    tags = [tag for tag, _ in outline.elements]
    assert tags.count("h1") == tags.count("main") == 1
    assert outline.values("lang", "html") == ["es"]


def test_ids_are_unique_and_every_link_has_its_target(outline: Outline) -> None:
    ids = outline.values("id")
    assert len(ids) == len(set(ids))
    links = outline.values("href", "a")
    assert links and all(link.startswith("#") for link in links)
    assert {link[1:] for link in links} <= set(ids)
    assert set(" ".join(outline.values("aria-labelledby")).split()) <= set(ids)


def test_nothing_points_out_of_the_file(outline: Outline, html: str) -> None:
    for tag, attrs in outline.elements:
        for name in ("src", "href", "srcset", "data", "action", "poster", "xlink:href"):
            if name in attrs:
                assert (attrs[name] or "").startswith(("#", "data:")), f"{tag} {name}={attrs[name]}"
        assert not any(name.startswith("on") for name in attrs), tag
        assert "style" not in attrs, tag
    css = html[html.index("<style>") : html.index("</style>")]
    assert "url(" not in css and "@import" not in css


def test_foreign_text_stays_text(outline: Outline) -> None:
    assert [tag for tag, _ in outline.elements].count("script") == 1
    text = "".join(outline.text)
    for hostile in (SCRIPT, IMAGE_TAG, LONG, "{{ 7 * 7 }} {% raw %}", HEBREW.lstrip("\u202e")):
        assert hostile in text
    assert not any(sign in text for sign in "\x1b\x07\u202e")


def test_every_image_is_a_jpeg_with_its_true_size_and_a_text(outline: Outline) -> None:
    images = [attrs for tag, attrs in outline.elements if tag == "img"]
    assert len(images) == 4 + 2 * 4  # pages; pictures, large and small
    for attrs in images:
        data = base64.b64decode((attrs["src"] or "").removeprefix("data:image/jpeg;base64,"), validate=True)
        with Image.open(io.BytesIO(data)) as image:
            assert image.format == "JPEG"
            assert image.size == (int(attrs["width"] or 0), int(attrs["height"] or 0))
            assert image.width <= 900
    alts = [attrs["alt"] or "" for attrs in images if attrs["class"] == "crop"]
    assert alts[0] == "«La señorita Rosa Güell y su hermana, en el jardín de su casa del Vedado»."
    assert all(len(alt) <= 125 for alt in alts)
    assert alts[3] == "Imagen 1 de la página 5, sin descripción"
    assert all(attrs["alt"] for attrs in images if attrs["class"] != "small")


def test_boxes_stand_in_page_pixels(outline: Outline) -> None:
    assert outline.values("viewbox", "svg") == [f"0 0 {WIDTH} {HEIGHT}"] * 4
    boxes = [attrs for tag, attrs in outline.elements if tag == "rect" and attrs["class"] == "box"]
    assert len(boxes) == 7 + 3 + 1 + 1  # page 2: two regions, and the caption that the text gave
    first = {"x": "120", "y": "200", "width": "440", "height": "560"}
    assert any({name: box[name] for name in first} == first for box in boxes)


def test_same_archive_same_bytes(archive: Archive, file: Path, tmp_path: Path) -> None:
    assert write_report(archive, ISSUE, tmp_path / "again.html").read_bytes() == file.read_bytes()


def test_sources_evidence_and_reasons_are_told_in_spanish(outline: Outline) -> None:
    text = " ".join("".join(outline.text).split())
    assert "Septiembre de 1916" in text and "Volumen 1, número 9" in text
    assert "confianza 0,84 · blip-base · original: " + ORIGINAL in text
    assert "Sin descripción de un modelo: faltan los pesos del modelo que describe." in text
    assert "no captioner weights" not in text
    assert "A reason nobody has translated." in text
    assert "término sensible «" in text and "»: Raza: nota <b>" in text
    badges = [
        attrs["class"] for tag, attrs in outline.elements if tag == "span" and "badge" in (attrs.get("class") or "")
    ]
    assert [f"badge {source.value}" for source in Source] == badges[: len(Source)]


def test_problems_are_shown_with_what_to_do(outline: Outline) -> None:
    text = "".join(outline.text)
    assert "Qué hacer" in text and "pdftoppm did not finish in 50 s" in text and "Run the same command again." in text
    assert "tiempo agotado" in text and "hecho con pérdida" in text
    assert "Etapas que no se han ejecutado en esta página: texto, contexto" in text


def test_doubtful_words_are_marked(html: str) -> None:
    assert re.search(r'<u class="unsure"[^>]*>Güell</u>', html)


def test_words_broken_at_a_line_end_are_joined_with_their_hyphen(html: str) -> None:
    joined = 'esta pá<span class="hyphen">-</span>gina, y una raya — que no parte nada -'
    assert joined in html


def test_provenance_names_programs_weights_and_settings(outline: Outline) -> None:
    text = "".join(outline.text)
    for name in ("tesseract 5.3.0", "layout_cdla.onnx", "min_confidence = 0,5", "ab" * 32, "23 de noviembre de 2026"):
        assert name in text


def test_the_sample_issue(sample_archive: tuple[Path, pipeline.IssueReport], tmp_path: Path) -> None:
    root, done = sample_archive
    out = write_report(Archive(root), done.issue, tmp_path / "informe.html")
    outline = Outline(out.read_text("utf-8"))
    assert outline.faults == []
    classes = outline.values("class", "img")
    assert classes.count("leaf") == done.pages == 8
    assert classes.count("crop") == classes.count("small") == done.pictures > 0
    assert {link[1:] for link in outline.values("href", "a")} <= set(outline.values("id"))
    assert out.stat().st_size / done.pages < 300_000  # 100 pages: 30 MB


# --- trouble --------------------------------------------------------------------------------------------------


def test_pictures_are_cut_from_the_page_where_their_file_is_gone(archive: Archive, file: Path, tmp_path: Path) -> None:
    copy = Archive(shutil.copytree(archive.root, tmp_path / "copy"))
    shutil.rmtree(copy.issue_dir(ISSUE) / "pictures")
    html = write_report(copy, ISSUE, tmp_path / "out.html").read_text("utf-8")
    assert html.count('<img class="crop"') == 4
    assert len(read_view(copy, ISSUE).problems) == html.count("<tr", html.index('class="problems"')) - 1 - html.count(
        "<tr", html.index('class="works"')
    )


@pytest.mark.parametrize("damage", ["gone", "torn", "other"])
def test_unreadable_images_are_problems(archive: Archive, tmp_path: Path, damage: str) -> None:
    copy = Archive(shutil.copytree(archive.root, tmp_path / "copy"))
    for place in (copy.page_image(ISSUE, "0001.jpg"), copy.picture_file(ISSUE, "0001-r01")):
        if damage == "gone":
            place.unlink()
        else:
            place.write_bytes(place.read_bytes()[:2000] if damage == "torn" else b"<svg onload='alert(1)'/>")
    outline = Outline(write_report(copy, ISSUE, tmp_path / "out.html").read_text("utf-8"))
    text = "".join(outline.text)
    assert outline.faults == []
    assert "No hay imagen de esta página" in text
    assert "Informe" in text and "0001.jpg" in text
    assert "El recorte no se puede mostrar." in text
    assert len([1 for tag, attrs in outline.elements if tag == "img" and attrs["class"] == "leaf"]) == 3


def test_stages_may_be_missing_in_any_combination(archive: Archive, tmp_path: Path) -> None:
    for kept in range(len(BODIES)):
        copy = Archive(shutil.copytree(archive.root, tmp_path / f"kept{kept}"))
        for place, stage in enumerate(BODIES):
            if place != kept:
                for record in (copy.issue_dir(ISSUE) / stage).glob("*.json"):
                    record.unlink()
        assert Outline(write_report(copy, ISSUE, tmp_path / f"{kept}.html").read_text("utf-8")).faults == []


def test_an_issue_that_says_nothing_of_itself(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "a", create=True)
    issue = Issue(id="x", title="<b>", source_name="x.pdf", source_sha256="00", source_bytes=0, page_count=0)
    with archive:
        record = fill(tmp_path / "b").read_issue(ISSUE)
        assert record
        archive.write_issue(Record[Issue](header=record.header, body=issue))
    outline = Outline(write_report(archive, "x", tmp_path / "x.html").read_text("utf-8"))
    assert outline.faults == [] and "<b>" in "".join(outline.text)


def test_unknown_issue_writes_nothing(archive: Archive, tmp_path: Path) -> None:
    with pytest.raises(BadArguments, match="no such issue"):
        write_report(archive, "../nada", tmp_path / "no.html")
    assert list(tmp_path.iterdir()) == []


def test_out_may_not_be_a_folder(archive: Archive, tmp_path: Path) -> None:
    with pytest.raises(BadArguments, match="is a folder"):
        write_report(archive, ISSUE, tmp_path)


def test_a_failed_write_leaves_the_old_report(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "informe.html"
    out.write_text("old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left") as caught:
        write_report(archive, ISSUE, out)
    assert caught.value.hint
    assert out.read_text() == "old" and [f.name for f in tmp_path.iterdir()] == ["informe.html"]


def test_report_is_readable_by_others(file: Path) -> None:
    mask = os.umask(0)
    os.umask(mask)
    assert file.stat().st_mode & 0o777 == 0o666 & ~mask


# --- words and lines ------------------------------------------------------------------------------------------


def test_every_name_has_its_spanish() -> None:
    assert set(spanish.KINDS) == set(RegionKind)
    assert set(spanish.SOURCES) == set(Source)
    assert set(spanish.CATEGORIES) == set(Category)
    assert set(spanish.STAGES) >= set(BODIES)


def test_the_reasons_of_the_stages_have_their_spanish() -> None:
    for text in (captions.NO_WEIGHTS, ranking.NO_WEIGHTS, ranking.NOTHING_TO_RANK):
        assert spanish.knows_reason(text), text
        assert spanish.reason(text) != text
    assert spanish.reason("something else") == "something else"
    assert spanish.reason("not described by a model: CUDA out of memory") == (
        "sin descripción de un modelo: CUDA out of memory"
    )


def test_page_ranges() -> None:
    assert spanish.page_ranges((1, 2, 3, 5, 7, 8)) == "1–3, 5, 7–8"
    assert spanish.page_ranges(()) == ""


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (9999, "9999"), (12345, "12\u202f345"), (1234567, "1\u202f234\u202f567")]
)
def test_whole_numbers(number: int, text: str) -> None:
    assert spanish.whole(number) == text


BOXES = st.builds(lambda x, y, w, h: Box(x, y, x + w, y + h), *[st.integers(0, 2000)] * 2, *[st.integers(1, 1500)] * 2)


@given(picture=BOXES, caption=BOXES, size=st.integers(6, 60))
@settings(deadline=None)
def test_links_end_in_both_boxes(picture: Box, caption: Box, size: int) -> None:
    link = drawing._link("p", picture, caption, size)
    for box, x, y in ((picture, link.x1, link.y1), (caption, link.x2, link.y2)):
        assert box.left <= x <= box.right and box.top <= y <= box.bottom


def test_a_caption_without_a_region_is_drawn(archive: Archive) -> None:
    page = read_view(archive, ISSUE).pages[1]
    drawn = drawing.draw(page)
    assert drawn
    assert [(s.kind, s.picture) for s in drawn.shapes if s.box == CAPTION] == [(RegionKind.CAPTION, "0002-r01")]
    assert [link.picture for link in drawn.links] == ["0002-r01"]


def test_several_captions_and_the_next_best_one_are_drawn(archive: Archive) -> None:
    view = read_view(archive, ISSUE).pages[1]
    (picture,) = view.pictures
    assert picture.context and picture.caption
    left, right, other = (Box(x, 800, x + 300, 850) for x in (150, 700, 460))
    parts = tuple(picture.caption.model_copy(update={"boxes": (box,)}) for box in (left, right))
    second = picture.caption.model_copy(update={"boxes": (other.grow(-1),), "text": "Otro pie."})

    def drawn(likely: float) -> drawing.Drawing:
        told = picture.context.model_copy(  # type: ignore[union-attr]
            update={
                "caption": picture.caption.model_copy(update={"boxes": (left, right)}),  # type: ignore[union-attr]
                "caption_parts": parts,
                "caption_runner_up": second,
                "caption_runner_up_confidence": likely,
            }
        )
        page = view.model_copy(update={"pictures": (picture.model_copy(update={"context": told}),)})
        found = drawing.draw(page)
        assert found
        return found

    sure, doubtful = drawn(0.01), drawn(0.2)
    assert [s.box for s in sure.shapes if s.kind is RegionKind.CAPTION] == [left, right]
    assert [link.second for link in sure.links] == [False, False]
    assert [s.box for s in doubtful.shapes if s.second] == [other.grow(-1)]
    assert [link.second for link in doubtful.links] == [True, False, False]


def test_the_next_best_caption_is_dashed_in_the_file(archive: Archive, tmp_path: Path) -> None:
    copy = Archive(shutil.copytree(archive.root, tmp_path / "copy"))
    record = copy.read(ISSUE, "context", 2, Contexts)
    assert record
    (context,) = record.body.pictures
    assert context.caption
    second = context.caption.model_copy(update={"boxes": (TITLE,), "text": "Otro pie."})
    told = context.model_copy(update={"caption_runner_up": second, "caption_runner_up_confidence": 0.2})
    with copy:
        copy.write(ISSUE, "context", 2, record.model_copy(update={"body": Contexts(pictures=(told,))}))
    outline = Outline(write_report(copy, ISSUE, tmp_path / "out.html").read_text("utf-8"))
    assert outline.faults == []
    classes = outline.values("class", "g")
    assert classes.count("link second") == classes.count("zone caption second") == 1
    assert "O bien" in "".join(outline.text) and "Otro pie." in "".join(outline.text)


# --- in a browser ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    for program, package in LACKING.items():
        if not program.exists():
            pytest.skip(f"{program} is missing: sudo apt-get install {package}")
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture
def opened(browser: webdriver.Chrome, file: Path) -> webdriver.Chrome:
    browser.get("about:blank")
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get(file.as_uri())
    return browser


def test_opens_without_errors_and_without_network(opened: webdriver.Chrome, file: Path) -> None:
    opened.execute_script("window.scrollTo(0, document.body.scrollHeight)")  # type: ignore[no-untyped-call]
    shown = "return [...document.images].every(i => i.complete && i.naturalWidth > 0)"
    WebDriverWait(opened, 10).until(lambda driver: driver.execute_script(shown))
    assert opened.get_log("browser") == []
    urls = {sent["request"]["url"] for sent in network(opened, "requestWillBeSent")}
    assert {url for url in urls if not url.startswith(("data:", "chrome:"))} == {file.as_uri()}


def test_hostile_print_is_neither_run_nor_drawn(opened: webdriver.Chrome) -> None:
    assert opened.execute_script("return window.hostile") is None
    assert "Social" in opened.title
    assert SCRIPT in opened.find_element(By.ID, "0002-r01").text
    assert opened.find_elements(By.CSS_SELECTOR, "img[src*=invalid]") == []


def test_the_policy_stops_what_escaping_might_miss(opened: webdriver.Chrome) -> None:
    opened.execute_script(
        "const s = document.createElement('div'); s.innerHTML = arguments[0]; document.body.append(s);", IMAGE_TAG[2:]
    )
    WebDriverWait(opened, 10).until(
        lambda driver: any("Content Security" in e["message"] for e in driver.get_log("browser"))
    )
    assert opened.execute_script("return window.hostile") is None
    assert [failed.get("blockedReason") for failed in network(opened, "loadingFailed")] == ["csp"]


def test_a_click_on_a_box_leads_to_its_card(opened: webdriver.Chrome) -> None:
    opened.execute_script("document.querySelector('#pagina-2').scrollIntoView()")
    box = opened.find_element(By.CSS_SELECTOR, "#pagina-2 a.zone.picture")
    box.click()
    assert opened.current_url.endswith("#0002-r01")
    card = opened.find_element(By.ID, "0002-r01")
    assert opened.execute_script("return document.querySelector(':target') === arguments[0]", card)
    place = "const r = arguments[0].getBoundingClientRect(); return r.top >= 0 && r.top < innerHeight"
    assert opened.execute_script(place, card)
    assert "lit" in (card.get_attribute("class") or "")


def test_a_caption_leads_to_its_picture(opened: webdriver.Chrome) -> None:
    opened.execute_script("document.querySelector('#pagina-2').scrollIntoView()")
    opened.find_element(By.CSS_SELECTOR, "#pagina-2 a.zone.caption").click()
    assert opened.current_url.endswith("#0002-r01")


def test_boxes_lie_on_the_page_image(opened: webdriver.Chrome) -> None:
    where = """
        const r = s => document.querySelector('#pagina-1 ' + s).getBoundingClientRect();
        const leaf = r('.leaf'), box = r('a.zone.picture .box');
        return [(box.left - leaf.left) / leaf.width, (box.top - leaf.top) / leaf.height, box.width / leaf.width]"""
    share = opened.execute_script(where)
    assert share == pytest.approx([120 / WIDTH, 200 / HEIGHT, 440 / WIDTH], abs=0.01)


def test_kinds_can_be_hidden_without_script(opened: webdriver.Chrome) -> None:
    text = opened.find_element(By.CSS_SELECTOR, "#pagina-1 .zone.text .box")
    assert text.is_displayed()
    opened.find_element(By.ID, "ver-text").click()
    assert not text.is_displayed()


@pytest.mark.parametrize("width", [360, 800, 1400])
def test_nothing_is_wider_than_the_window(opened: webdriver.Chrome, width: int) -> None:
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        opened.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert opened.execute_script("return document.documentElement.scrollWidth") <= width
    finally:
        opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_text_stands_out_from_its_ground(opened: webdriver.Chrome) -> None:
    """WCAG 2.1, success criterion 1.4.3: a contrast of at least 4.5 to 1 for text of this size."""
    pairs = opened.execute_script(
        """
        const solid = e => { for (; e; e = e.parentElement) {
            const c = getComputedStyle(e).backgroundColor; if (!c.endsWith(', 0)')) return c; } };
        const all = document.querySelectorAll('p, dd, dt, small, nav a, li, td, th, summary, span, h2, h3, h4, label');
        return [...all].filter(e => !e.closest('.skip'))
            .map(e => [getComputedStyle(e).color, solid(e), e.className || e.tagName])"""
    )

    def luminance(colour: str) -> float:
        channels = [int(n) / 255 for n in re.findall(r"\d+", colour)[:3]]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    assert len(pairs) > 50
    for front, ground, what in pairs:
        light, dark = sorted((luminance(front), luminance(ground)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, f"{what}: {front} on {ground}"


def test_keyboard_reaches_the_boxes(opened: webdriver.Chrome) -> None:
    script = """
        const one = document.querySelector('#pagina-1 a.zone.picture'); one.focus();
        return document.activeElement === one && document.getElementById('0001-r01').classList.contains('lit')"""
    assert opened.execute_script(script)


def test_report_does_not_depend_on_the_working_folder(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    report._environment.cache_clear()
    assert write_report(archive, ISSUE, Path("sub/informe.html")).is_file()
