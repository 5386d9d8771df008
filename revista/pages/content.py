"""What a page paints: its images with their places, and whether anything else can be seen.

A reading of the content stream (ISO 32000-2, 8 and 9) that knows just enough to tell a page that is one scan from
any other: matrices, clips that are rectangles, invisible text, white fills, optional content, forms. Where it does
not understand, it says so, and the page is rendered instead: a wrong "one scan" would lose print, a wrong "not one
scan" costs a second.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from revista.pages.document import IDENTITY, Affine, Rect, View, around, broken, inherited

if TYPE_CHECKING:
    import pikepdf

MAX_CONTENT_BYTES = 4_000_000
MAX_INSTRUCTIONS = 200_000
MAX_DEPTH = 10

Colour = tuple[float, ...]
"""Components of DeviceGray, DeviceRGB or DeviceCMYK by their number, 0.0 to 1.0."""

_UNSEEN_TEXT = (3, 7)  # neither filled nor stroked: how an OCR layer is written
_HIDDEN, _NO_VIEW = 2, 32  # annotation flags
_WHITES: dict[int, Colour] = {1: (1.0,), 3: (1.0, 1.0, 1.0), 4: (0.0, 0.0, 0.0, 0.0)}
_DEVICE = {"/DeviceGray": 1, "/G": 1, "/DeviceRGB": 3, "/RGB": 3, "/DeviceCMYK": 4, "/CMYK": 4}


class Image(NamedTuple):
    """An image as it is painted."""

    stream: pikepdf.Stream
    place: Affine  # from the unit square (origin bottom left) to the view
    visible: Rect  # upright rectangle in the view outside of which nothing of it is seen
    fill: Colour | None  # paint of an image mask; None where it is no plain colour


class Content(NamedTuple):
    """What a page paints, in painting order; an `Image` as itself, anything else that can be seen as None."""

    marks: tuple[Image | None, ...]
    images: tuple[Image, ...]  # all images, also those painted in a way that only a renderer can follow
    has_text: bool
    understood: bool


@dataclass(frozen=True)
class _State:
    """The part of the graphics state that decides what can be seen."""

    matrix: Affine
    clip: Rect
    plain: bool = True  # False under a clip that is no rectangle, a blend mode, a soft mask, transparency
    fill: Colour | None = (0.0,)
    space: int = 1  # number of components of the device colour space for `sc`; 0 for any other
    fill_alpha: float = 1.0
    stroke_alpha: float = 1.0
    text_mode: int = 0


@dataclass
class _Path:
    """The path under construction: its corners, and whether it is one upright rectangle."""

    points: list[tuple[float, float]] = field(default_factory=list)
    straight: bool = True
    parts: int = 0
    clips: bool = False

    def is_rectangle(self) -> bool:
        corners = {(round(x, 3), round(y, 3)) for x, y in self.points}
        xs, ys = {x for x, _ in corners}, {y for _, y in corners}
        return self.straight and self.parts == 1 and len(corners) == 4 and len(xs) == 2 and len(ys) == 2


def read_content(pdf: pikepdf.Pdf, page: pikepdf.Page, view: View) -> Content:
    """What `page` paints into `view`. Damaged content is not an error: it comes back as not understood."""
    reader = _Reader(pdf, view)
    pdf.get_warnings()  # those from opening the file; the call forgets them
    try:
        if _content_bytes(page.obj.get("/Contents")) > MAX_CONTENT_BYTES:
            raise _NotUnderstood
        reader.run(page, inherited(page.obj, "/Resources"), _State(view.matrix, view.rect), 0)
        if _has_visible_annotations(page):
            reader.marks.append(None)
        if pdf.get_warnings():  # after too many errors qpdf ends its reading with no more than a warning
            raise _NotUnderstood
    except _NotUnderstood:
        reader.understood = False
    except broken():
        reader.understood = False
    return Content(tuple(reader.marks), tuple(reader.images), reader.has_text, reader.understood)


class _NotUnderstood(Exception):
    """The content holds what this reader does not follow."""


def _content_bytes(contents: Any) -> int:
    import pikepdf

    if contents is None:
        return 0
    if isinstance(contents, pikepdf.Array):
        return sum(_content_bytes(part) for part in contents)
    return len(contents.read_bytes())


def _has_visible_annotations(page: pikepdf.Page) -> bool:
    """Whether a note, stamp or form field is drawn on the page; links and pop-ups have no looks of their own."""
    for note in page.obj.get("/Annots") or ():
        hidden = int(note.get("/F", 0)) & (_HIDDEN | _NO_VIEW)
        if "/AP" in note and not hidden and note.get("/Subtype") not in ("/Link", "/Popup"):
            return True
    return False


class _Reader:
    """One reading of one page's content."""

    def __init__(self, pdf: pikepdf.Pdf, view: View) -> None:
        self.view = view
        self.marks: list[Image | None] = []
        self.images: list[Image] = []
        self.has_text = False
        self.understood = True
        self._left = MAX_INSTRUCTIONS
        self._pdf = pdf
        self._layers_off: set[tuple[int, int]] | None = None

    def run(self, stream: Any, resources: Any, state: _State, depth: int) -> None:
        """Follow the content of a page or form."""
        import pikepdf

        if depth > MAX_DEPTH:
            raise _NotUnderstood
        stack: list[_State] = []
        shown: list[bool] = []  # one entry for each open marked content
        path = _Path()
        for instruction in pikepdf.parse_content_stream(stream):
            self._left -= 1
            if self._left < 0:
                raise _NotUnderstood
            name, operands = str(instruction.operator), instruction.operands
            if name == "q":
                stack.append(state)
            elif name == "Q":
                state = stack.pop() if stack else state
            elif name in ("BMC", "BDC"):
                shown.append(name == "BMC" or self._is_shown(operands, resources))
            elif name == "EMC":
                shown = shown[:-1]
            elif name == "Do":
                if all(shown):
                    self._paint_object(resources["/XObject"][operands[0]], resources, state, depth)
            elif name in _PATH:
                _extend(path, name, [float(o) for o in operands], state.matrix)
            elif name in ("W", "W*"):
                path.clips = True
            elif name in _PAINT:
                if all(shown):
                    self._paint_path(path, _PAINT[name], state)
                state = _clipped(state, path)
                path = _Path()
            elif name in ("Tj", "TJ", "'", '"'):
                self.has_text = True
                if all(shown) and state.text_mode not in _UNSEEN_TEXT and state.fill_alpha > 0:
                    self._mark(None)
                if state.text_mode >= 4:  # text that clips what follows
                    state = replace(state, plain=False)
            elif name in ("sh", "INLINE IMAGE"):
                if all(shown) and state.clip.area:
                    self._mark(None)
            else:
                state = _changed(state, name, operands, resources)

    def _mark(self, mark: Image | None) -> None:
        if mark is not None or not self.marks or self.marks[-1] is not None:  # no need to count the letters of a text
            self.marks.append(mark)

    def _paint_path(self, path: _Path, how: str, state: _State) -> None:
        if not path.points:
            return
        where = around(path.points)
        inside = where.left <= state.clip.right and where.right >= state.clip.left
        inside = inside and where.top <= state.clip.bottom and where.bottom >= state.clip.top
        filled = "f" in how and state.fill_alpha > 0
        white = state.fill is not None and _WHITES.get(len(state.fill)) == state.fill and state.plain
        if filled and white and not self.marks:
            filled = False  # white on white
        if inside and state.clip.area and (filled or ("s" in how and state.stroke_alpha > 0)):
            self._mark(None)

    def _paint_object(self, thing: Any, resources: Any, state: _State, depth: int) -> None:
        if "/OC" in thing and not self._layer_is_on(thing["/OC"]):
            return
        if thing.get("/Subtype") == "/Form":
            matrix = Affine(*(float(v) for v in thing["/Matrix"])) if "/Matrix" in thing else IDENTITY
            inner = replace(state, matrix=matrix.then(state.matrix))
            x0, y0, x1, y1 = (float(v) for v in thing["/BBox"])
            box = _Path(clips=True)
            _extend(box, "re", [x0, y0, x1 - x0, y1 - y0], inner.matrix)
            if len(thing.read_bytes()) > MAX_CONTENT_BYTES:
                raise _NotUnderstood
            self.run(thing, thing.get("/Resources", resources), _clipped(inner, box), depth + 1)
        elif thing.get("/Subtype") == "/Image":
            corners = [state.matrix.apply(x, y) for x, y in ((0, 0), (1, 0), (0, 1), (1, 1))]
            visible = around(corners).meet(state.clip)
            if visible.area and state.fill_alpha > 0:
                image = Image(thing, state.matrix, visible, state.fill)
                self.images.append(image)
                self._mark(image if state.plain and state.fill_alpha == 1 else None)
        else:
            raise _NotUnderstood

    def _is_shown(self, operands: Any, resources: Any) -> bool:
        """Whether marked content is shown: it may belong to a layer that is switched off."""
        if len(operands) < 2 or operands[0] != "/OC":
            return True
        return self._layer_is_on(resources["/Properties"][operands[1]])

    def _layer_is_on(self, layer: Any) -> bool:
        if layer.get("/Type") != "/OCG":
            raise _NotUnderstood  # a membership dictionary: an expression over layers
        if self._layers_off is None:
            self._layers_off = self._find_layers_off()
        return layer.objgen not in self._layers_off

    def _find_layers_off(self) -> set[tuple[int, int]]:
        properties = self._pdf.Root.get("/OCProperties")
        if properties is None:
            return set()
        default = properties["/D"]
        off = {layer.objgen for layer in default.get("/OFF", [])}
        if default.get("/BaseState") == "/OFF":
            on = {layer.objgen for layer in default.get("/ON", [])}
            off |= {layer.objgen for layer in properties["/OCGs"]} - on
        return off


_PATH = ("m", "l", "c", "v", "y", "h", "re")
_PAINT = {"S": "s", "s": "s", "f": "f", "F": "f", "f*": "f", "B": "fs", "B*": "fs", "b": "fs", "b*": "fs", "n": ""}


def _extend(path: _Path, name: str, numbers: list[float], matrix: Affine) -> None:
    """Add a path operator to the path, in view coordinates."""
    if name == "re":
        x, y, width, height = numbers
        path.points += [
            matrix.apply(*corner) for corner in ((x, y), (x + width, y), (x + width, y + height), (x, y + height))
        ]
        path.parts += 1
    elif name != "h":
        path.parts += name == "m"
        path.straight = path.straight and name in ("m", "l")
        path.points += [matrix.apply(*numbers[i : i + 2]) for i in range(0, len(numbers) - 1, 2)]


def _clipped(state: _State, path: _Path) -> _State:
    """The state after a path that may clip what follows."""
    if not path.clips:
        return state
    clip = state.clip.meet(around(path.points)) if path.points else Rect(0, 0, 0, 0)
    return replace(state, clip=clip, plain=state.plain and (path.is_rectangle() or not clip.area))


def _changed(state: _State, name: str, operands: Any, resources: Any) -> _State:
    """The state after an operator that sets a part of it; the same where the part does not matter here."""
    if name == "cm":
        return replace(state, matrix=Affine(*(float(o) for o in operands)).then(state.matrix))
    if name == "Tr":
        return replace(state, text_mode=int(operands[0]))
    if name in ("g", "rg", "k"):
        return replace(state, fill=tuple(float(o) for o in operands), space=len(operands))
    if name == "cs":
        space = _DEVICE.get(str(operands[0]), 0)
        black: dict[int, Colour] = {1: (0.0,), 3: (0.0, 0.0, 0.0), 4: (0.0, 0.0, 0.0, 1.0)}
        return replace(state, fill=black.get(space), space=space)
    if name in ("sc", "scn"):
        plain = state.space and len(operands) == state.space
        return replace(state, fill=tuple(float(o) for o in operands) if plain else None)
    if name == "gs":
        return _with_parameters(state, resources["/ExtGState"][operands[0]])
    return state


def _with_parameters(state: _State, parameters: Any) -> _State:
    """The state after `gs`."""
    plain = state.plain
    if parameters.get("/SMask", "/None") != "/None":
        plain = False
    if parameters.get("/BM", "/Normal") not in ("/Normal", "/Compatible"):
        plain = False
    return replace(
        state,
        plain=plain,
        fill_alpha=float(parameters.get("/ca", state.fill_alpha)),
        stroke_alpha=float(parameters.get("/CA", state.stroke_alpha)),
    )
