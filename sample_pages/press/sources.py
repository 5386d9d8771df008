"""The fonts and photographs that the sample issue is made of: where they are installed, and whose they are.

None of them is copied into the project. Each is named with its sha256, because the drawn bytes depend on it.
"""

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

FONT_ROOT = Path("/usr/share/fonts")
"""Where Debian's font packages install; the fonts are looked up here by their packaged path."""


class MissingSource(Exception):
    """A font or photograph is not installed; the message says what to type."""


@dataclass(frozen=True)
class Font:
    """One font file of a Debian package.

    Attributes:
        path: Path below `FONT_ROOT`.
        package: The Debian package that installs it.
        sha256: Of the file that the committed issue was drawn with.
    """

    path: str
    package: str
    sha256: str

    def locate(self) -> Path:
        """Return the installed file, or raise `MissingSource` naming the package."""
        found = FONT_ROOT / self.path
        if not found.is_file():
            raise MissingSource(f"The font {found} is not installed. Type: sudo apt-get install {self.package}")
        return found


@dataclass(frozen=True)
class Photograph:
    """One photograph that a Python package carries inside its wheel.

    Attributes:
        module: The package, by its import name.
        path: Path inside that package.
        requirement: What to install when it is missing, by its pip name.
        sha256: Of the file that the committed issue was drawn with.
        title: What it shows.
        author: Who made it, as far as the package says.
        licence: Under which terms the package passes it on.
    """

    module: str
    path: str
    requirement: str
    sha256: str
    title: str
    author: str
    licence: str

    def locate(self) -> Path:
        """Return the installed file, or raise `MissingSource` naming the package; nothing is imported."""
        spec = importlib.util.find_spec(self.module)
        folders = (spec.submodule_search_locations if spec else None) or []
        for folder in folders:
            if (Path(folder) / self.path).is_file():
                return Path(folder) / self.path
        raise MissingSource(
            f"The photograph {self.module}/{self.path} is not installed. Type: pip install {self.requirement}"
        )


FONTS = {
    "roman": Font(
        "truetype/fonts-oldstandard/OldStandard-Regular.ttf",
        "fonts-oldstandard",
        "74916923e4f0c26a88d37de10e3b2f50ab26a8c6c369430f55e0574df8d713a5",
    ),
    "italic": Font(
        "truetype/fonts-oldstandard/OldStandard-Italic.ttf",
        "fonts-oldstandard",
        "b49b08875736e850758def3405c4f14ef1488da005dfc4c2bc1ebb1873e09e47",
    ),
    "bold": Font(
        "truetype/fonts-oldstandard/OldStandard-Bold.ttf",
        "fonts-oldstandard",
        "fc1f8a96f54004afdcc5d92e995482d85fa50e5e2d6b8511ad5b8b4d9ca430ec",
    ),
    "title": Font(
        "opentype/linux-libertine/LinBiolinum_R.otf",
        "fonts-linuxlibertine",
        "f3cf97ba8cc3a511729bb3ff701d9ff038d94c4c72d2998ee9b40aece8d33f52",
    ),
}

PHOTOGRAPHS = {
    "astronaut": Photograph(
        "skimage",
        "data/astronaut.png",
        "scikit-image",
        "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
        "Portrait of the astronaut Eileen Collins",
        "NASA",
        "public domain",
    ),
    "camera": Photograph(
        "skimage",
        "data/camera.png",
        "scikit-image",
        "b0793d2adda0fa6ae899c03989482bff9a42d3d5690fc7e3648f2795d730c23a",
        "A man behind a camera on a tripod",
        "Lav Varshney",
        "CC0",
    ),
    "chelsea": Photograph(
        "skimage",
        "data/chelsea.png",
        "scikit-image",
        "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
        "Chelsea the cat",
        "Stefan van der Walt",
        "CC0",
    ),
    "china": Photograph(
        "sklearn",
        "datasets/images/china.jpg",
        "scikit-learn",
        "8378025ad2519d649d02e32bd98990db4ab572357d9f09841c2fbfbb4fefad29",
        "A pavilion above a lake in China",
        "danielbuechele",
        "CC BY 2.0",
    ),
    "coffee": Photograph(
        "skimage",
        "data/coffee.png",
        "scikit-image",
        "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
        "A cup of coffee, courtesy of Pikolo Espresso Bar",
        "Rachel Michetti",
        "CC0",
    ),
    "coins": Photograph(
        "skimage",
        "data/coins.png",
        "scikit-image",
        "f8d773fc9cfa6f4d8e5942dc34d0a0788fcaed2a4fefbbed0aef5398d7ef4cba",
        "Greek coins from Pompeii",
        "Brooklyn Museum Collection",
        "no known copyright restrictions",
    ),
    "flower": Photograph(
        "sklearn",
        "datasets/images/flower.jpg",
        "scikit-learn",
        "a77f6ec41e353afdf8bdff2ea981b2955535d8d83294f8cfa49cf4e423dd5638",
        "A dahlia",
        "danielbuechele; the link beside the name leads to vultilion",
        "CC BY 2.0",
    ),
    "hopper": Photograph(
        "matplotlib",
        "mpl-data/sample_data/grace_hopper.jpg",
        "matplotlib",
        "a8ca6d734765703b09728ab47fe59f473d93ae3967fc24c7c0288c3c7adb7130",
        "Portrait of Grace Hopper in naval uniform",
        "United States Navy",
        "public domain",
    ),
    "horse": Photograph(
        "skimage",
        "data/horse.png",
        "scikit-image",
        "c7fb60789fe394c485f842291ea3b21e50d140f39d6dcb5fb9917cc178225455",
        "Silhouette of a horse",
        "Andreas Preuss (marauder)",
        "CC0",
    ),
}


def changed_sources() -> tuple[str, ...]:
    """Name every font and photograph whose bytes differ from those that the committed issue was drawn with.

    Returns:
        One sentence per file, none when all are the expected ones.

    Raises:
        MissingSource: A file is not installed at all.
    """
    sources: list[Font | Photograph] = [*FONTS.values(), *PHOTOGRAPHS.values()]
    return tuple(
        f"{source.path} has other bytes than the file that the committed issue was drawn with."
        for source in sources
        if hashlib.sha256(source.locate().read_bytes()).hexdigest() != source.sha256
    )
