"""Words that Apertium lacks or takes in the wrong sense: they are translated as a rare word of the same kind.

A stand-in has the gender of the Spanish word that takes its place afterwards, so that articles and adjectives agree.
"""

from __future__ import annotations

import re

from revista.programs.apertium import Translation
from revista.spanish.english import plural

# Singular, plural, gender in Spanish; a large letter: the English word is a plural.
_GLOSSARY: dict[str, tuple[str, str, str]] = {
    "rock": ("roca", "rocas", "f"),
    "rock wall": ("pared de roca", "paredes de roca", "f"),
    "rock face": ("pared de roca", "paredes de roca", "f"),
    "climbing wall": ("pared de escalada", "paredes de escalada", "f"),
    "wall": ("pared", "paredes", "f"),
    "ball": ("pelota", "pelotas", "f"),
    "tennis ball": ("pelota de tenis", "pelotas de tenis", "f"),
    "soccer ball": ("balón de fútbol", "balones de fútbol", "m"),
    "surfboard": ("tabla de surf", "tablas de surf", "f"),
    "snowboard": ("tabla de nieve", "tablas de nieve", "f"),
    "skateboarder": ("patinador", "patinadores", "m"),
    "snowboarder": ("esquiador", "esquiadores", "m"),
    "frisbee": ("disco", "discos", "m"),
    "pool": ("piscina", "piscinas", "f"),
    "swimming pool": ("piscina", "piscinas", "f"),
    "swing": ("columpio", "columpios", "m"),
    "cap": ("gorra", "gorras", "f"),
    "collar": ("collar", "collares", "m"),
    "camera": ("cámara", "cámaras", "f"),
    "baby": ("bebé", "bebés", "m"),
    "building": ("edificio", "edificios", "m"),
    "log": ("tronco", "troncos", "m"),
    "hill": ("colina", "colinas", "f"),
    "bike": ("bicicleta", "bicicletas", "f"),
    "bicycle": ("bicicleta", "bicicletas", "f"),
    "dirt bike": ("motocicleta", "motocicletas", "f"),
    "motorbike": ("motocicleta", "motocicletas", "f"),
    "dirt": ("tierra", "tierras", "f"),
    "slide": ("tobogán", "toboganes", "m"),
    "toddler": ("niño pequeño", "niños pequeños", "m"),
    "little boy": ("niño", "niños", "m"),
    "small boy": ("niño", "niños", "m"),
    "young boy": ("niño", "niños", "m"),
    "boy": ("niño", "niños", "m"),
    "little girl": ("niña", "niñas", "f"),
    "small girl": ("niña", "niñas", "f"),
    "young girl": ("niña", "niñas", "f"),
    "girl": ("niña", "niñas", "f"),
    "little child": ("niño pequeño", "niños pequeños", "m"),
    "couple": ("pareja", "parejas", "f"),
    "picture": ("fotografía", "fotografías", "f"),
    "photo": ("fotografía", "fotografías", "f"),
    "track": ("pista", "pistas", "f"),
    "trail": ("sendero", "senderos", "m"),
    "background": ("fondo", "fondos", "m"),
    "sunglasses": ("gafas de sol", "gafas de sol", "F"),
    "glasses": ("gafas", "gafas", "F"),
    "shorts": ("pantalones cortos", "pantalones cortos", "M"),
    "jeans": ("pantalones vaqueros", "pantalones vaqueros", "M"),
    "pants": ("pantalones", "pantalones", "M"),
    "t-shirt": ("camiseta", "camisetas", "f"),
    "tank top": ("camiseta", "camisetas", "f"),
    "blouse": ("blusa", "blusas", "f"),
    "jersey": ("camiseta", "camisetas", "f"),
    "sweatshirt": ("sudadera", "sudaderas", "f"),
    "wetsuit": ("traje de goma", "trajes de goma", "m"),
    "bathing suit": ("traje de baño", "trajes de baño", "m"),
    "swimsuit": ("traje de baño", "trajes de baño", "m"),
    "costume": ("disfraz", "disfraces", "m"),
    "crowd": ("multitud", "multitudes", "f"),
    "lady": ("señora", "señoras", "f"),
    "guy": ("hombre", "hombres", "m"),
    "biker": ("motorista", "motoristas", "m"),
    "bicyclist": ("ciclista", "ciclistas", "m"),
    "surfer": ("surfista", "surfistas", "m"),
    "dock": ("muelle", "muelles", "m"),
    "playground": ("parque infantil", "parques infantiles", "m"),
    "leash": ("correa", "correas", "f"),
    "sprinkler": ("aspersor", "aspersores", "m"),
    "trampoline": ("cama elástica", "camas elásticas", "f"),
    "kayak": ("piragua", "piraguas", "f"),
    "sand": ("arena", "arenas", "f"),
    "ramp": ("rampa", "rampas", "f"),
    "rope": ("cuerda", "cuerdas", "f"),
    "sign": ("letrero", "letreros", "m"),
    "railing": ("barandilla", "barandillas", "f"),
    "goalie": ("portero", "porteros", "m"),
    "greyhound": ("galgo", "galgos", "m"),
    "terrain": ("terreno", "terrenos", "m"),
    "outfit": ("traje", "trajes", "m"),
    "surf": ("ola", "olas", "f"),
    "pond": ("estanque", "estanques", "m"),
    "puppy": ("cachorro", "cachorros", "m"),
    "cellphone": ("teléfono", "teléfonos", "m"),
    "hiker": ("excursionista", "excursionistas", "m"),
    "ledge": ("cornisa", "cornisas", "f"),
    "hurdle": ("obstáculo", "obstáculos", "m"),
    "racetrack": ("pista de carreras", "pistas de carreras", "f"),
    "hoop": ("aro", "aros", "m"),
    "backyard": ("patio", "patios", "m"),
    "couch": ("sofá", "sofás", "m"),
    "motorcyclist": ("motociclista", "motociclistas", "m"),
    "poodle": ("caniche", "caniches", "m"),
    "racer": ("corredor", "corredores", "m"),
    "hoodie": ("sudadera", "sudaderas", "f"),
    "handrail": ("barandilla", "barandillas", "f"),
    "wheelchair": ("silla de ruedas", "sillas de ruedas", "f"),
    "pavement": ("acera", "aceras", "f"),
    "doorway": ("entrada", "entradas", "f"),
    "foreground": ("primer plano", "primeros planos", "m"),
    "walkway": ("pasarela", "pasarelas", "f"),
    "wrestler": ("luchador", "luchadores", "m"),
    "mountainside": ("ladera", "laderas", "f"),
    "train": ("tren", "trenes", "m"),
    "bunny": ("conejo", "conejos", "m"),
    "jockey": ("jinete", "jinetes", "m"),
    "stump": ("tocón", "tocones", "m"),
    "mug": ("taza", "tazas", "f"),
    "chest": ("pecho", "pechos", "m"),
    "fence": ("valla", "vallas", "f"),
    "path": ("sendero", "senderos", "m"),
    "stone": ("piedra", "piedras", "f"),
    "concrete": ("hormigón", "hormigones", "m"),
    "coat": ("abrigo", "abrigos", "m"),
    "race": ("carrera", "carreras", "f"),
    "campfire": ("fogata", "fogatas", "f"),
    "hula hoop": ("aro", "aros", "m"),
    "platform": ("plataforma", "plataformas", "f"),
    "arm": ("brazo", "brazos", "m"),
    "car": ("automóvil", "automóviles", "m"),
    "rider": ("jinete", "jinetes", "m"),
    "pile": ("montón", "montones", "m"),
    "family": ("familia", "familias", "f"),
    "photograph": ("fotografía", "fotografías", "f"),
    "engraving": ("grabado", "grabados", "m"),
    "old man": ("anciano", "ancianos", "m"),
    "elderly man": ("anciano", "ancianos", "m"),
    "old woman": ("anciana", "ancianas", "f"),
    "elderly woman": ("anciana", "ancianas", "f"),
    "rail": ("baranda", "barandas", "f"),
}
# Rare words of a captioner that Apertium knows, by gender: English singular and plural, Spanish singular and plural.
_STAND_INS = {
    "f": (
        ("lamp", "lamps", "lámpara", "lámparas"),
        ("pear", "pears", "pera", "peras"),
        ("spoon", "spoons", "cuchara", "cucharas"),
        ("candle", "candles", "vela", "velas"),
        ("pumpkin", "pumpkins", "calabaza", "calabazas"),
        ("carrot", "carrots", "zanahoria", "zanahorias"),
        ("spider", "spiders", "araña", "arañas"),
    ),
    "m": (
        ("violin", "violins", "violín", "violines"),
        ("bucket", "buckets", "cubo", "cubos"),
        ("melon", "melons", "melón", "melones"),
        ("barrel", "barrels", "barril", "barriles"),
        ("tomato", "tomatoes", "tomate", "tomates"),
        ("lemon", "lemons", "limón", "limones"),
    ),
}
_VERB_STAND_INS = (  # rare verbs, and what becomes of them: gerund, singular, plural
    ("whistling", ("silbando", "silba", "silban")),
    ("yawning", ("bostezando", "bosteza", "bostezan")),
    ("praying", ("rogando", "ruega", "ruegan")),
)
_VERB_GLOSSARY = {
    "skiing": ("esquiando", "esquía", "esquían"),
    "snowboarding": ("bajando por la nieve", "baja por la nieve", "bajan por la nieve"),
    "skateboarding": ("patinando", "patina", "patinan"),
    "surfing": ("haciendo surf", "hace surf", "hacen surf"),
    "splashing": ("chapoteando", "chapotea", "chapotean"),
    "lying": ("descansando", "descansa", "descansan"),
    "laying": ("descansando", "descansa", "descansan"),
    "sliding": ("deslizándose", "se desliza", "se deslizan"),
    "swinging": ("balanceándose", "se balancea", "se balancean"),
    "racing": ("corriendo", "corre", "corren"),
    "smiling": ("sonriendo", "sonríe", "sonríen"),
    "holding": ("sosteniendo", "sostiene", "sostienen"),
    "upstanding": ("de pie", "está de pie", "están de pie"),
    "looking": ("mirando", "mira", "miran"),
    "climbing": ("escalando", "escala", "escalan"),
    "hugging": ("abrazando", "abraza", "abrazan"),
    "wrestling": ("luchando", "lucha", "luchan"),
    "posing": ("posando", "posa", "posan"),
}


class StandIns:
    """Puts stand-ins into an English text, each word its own, and takes them out of the translation."""

    def __init__(self, text: str) -> None:
        """Take no word for a stand-in that stands in `text` itself."""
        words = set(text.split())
        self._free = {
            gender: [given for given in rows if not words & set(given[:2])] for gender, rows in _STAND_INS.items()
        }
        self._verbs = [given for given in _VERB_STAND_INS if given[0] not in words]
        self._given: dict[str, tuple[str, str, str, str]] = {}
        self._changes: dict[str, str] = {}

    def hide(self, match: re.Match[str]) -> str:
        """A sign in place of a name, which stays as it is."""
        hidden = f"Qx{'abcdefghij'[len(self._changes) % 10]}q"
        self._changes[hidden] = match[0]
        return hidden

    def put(self, text: str) -> str:
        """The text with stand-ins for the verbs and nouns of the glossary, as far as there are any left."""
        for verb, forms in _VERB_GLOSSARY.items():
            if not self._verbs or not re.search(rf"\b{verb}\b", text):
                continue
            stand_in, said = self._verbs.pop(0)
            at = verb == "looking"
            text = re.sub(rf"\b{verb}\b{'(?: at| on)?' if at else ''}", stand_in, text)
            self._changes.update({old: new + (" a" if at else "") for old, new in zip(said, forms, strict=True)})
        return _NOUNS.sub(self._noun, text.replace("upstanding", "standing"))

    def _noun(self, match: re.Match[str]) -> str:
        single, plural = _BY_FORM[match[0]]
        one, many, gender = _GLOSSARY[single]
        if single not in self._given:
            if not self._free[gender.lower()]:
                return match[0]
            self._given[single] = self._free[gender.lower()].pop(0)
            stand_in = self._given[single]
            self._changes.update({stand_in[2]: one, stand_in[3]: many})
        return self._given[single][1 if plural else 0]

    def take(self, made: Translation) -> Translation:
        """The translation with the words that the stand-ins stood for."""
        changes, text = self._changes, made.text
        if changes:
            wanted = re.compile(
                rf"\b({'|'.join(sorted(map(re.escape, changes), key=len, reverse=True))})\b", re.IGNORECASE
            )
            text = wanted.sub(self._back, text)
        return Translation(text, tuple(word for word in made.unknown if word not in changes))

    def _back(self, match: re.Match[str]) -> str:
        new = self._changes.get(match[0]) or self._changes[match[0].lower()]
        return new[:1].upper() + new[1:] if match[0][0].isupper() and match[0] not in self._changes else new


def _forms() -> dict[str, tuple[str, bool]]:
    """Each form of a word of the glossary: the word, and whether the form is a plural."""
    found = {}
    for word, (_, _, gender) in _GLOSSARY.items():
        if gender.isupper():
            found[word] = (word, True)
            continue
        found[word] = (word, False)
        found[plural(word)] = (word, True)
    return found


_BY_FORM = _forms()
_NOUNS = re.compile(rf"\b(?:{'|'.join(sorted(map(re.escape, _BY_FORM), key=len, reverse=True))})\b")
