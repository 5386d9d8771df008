"""English captions in Spanish: Apertium, and what it gets systematically wrong with captions mended.

Captions are a small language: few verbs, in the present; clothes, animals, sport, streets. Apertium takes their verbs
for nouns ("a man skis" became "unos esquíes de hombre"), lacks words or takes the wrong sense. So verbs are put into
the form "is skiing" beforehand, and the words of a glossary are translated as a rare word of the same gender, whose
translation they then replace: articles and adjectives agree. All rules stand here, as tables.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from revista.programs import apertium
from revista.programs.apertium import Translation

# --- English: what is changed before ----------------------------------------------------------------------

_VERBS = {  # third person: (base, -ing)
    "runs": ("run", "running"),
    "jumps": ("jump", "jumping"),
    "leaps": ("leap", "jumping"),
    "walks": ("walk", "walking"),
    "plays": ("play", "playing"),
    "rides": ("ride", "riding"),
    "climbs": ("climb", "climbing"),
    "holds": ("hold", "holding"),
    "looks": ("look", "looking"),
    "watches": ("watch", "watching"),
    "smiles": ("smile", "smiling"),
    "poses": ("pose", "posing"),
    "carries": ("carry", "carrying"),
    "catches": ("catch", "catching"),
    "swims": ("swim", "swimming"),
    "performs": ("perform", "performing"),
    "skis": ("ski", "skiing"),
    "surfs": ("surf", "surfing"),
    "flies": ("fly", "flying"),
    "eats": ("eat", "eating"),
    "throws": ("throw", "throwing"),
    "hits": ("hit", "hitting"),
    "kicks": ("kick", "kicking"),
    "slides": ("slide", "sliding"),
    "swings": ("swing", "swinging"),
    "races": ("race", "racing"),
    "chases": ("chase", "chasing"),
    "rests": ("rest", "resting"),
    "splashes": ("splash", "splashing"),
    "snowboards": ("snowboard", "snowboarding"),
    "talks": ("talk", "talking"),
    "dances": ("dance", "dancing"),
    "lies": ("lie", "lying"),
    "lays": ("lay", "lying"),
    "stands": ("stand", "standing"),
    "sits": ("sit", "sitting"),
    "takes": ("take", "taking"),
    "waits": ("wait", "waiting"),
    "does": ("do", "doing"),
}
_SINGULAR = re.compile(
    rf"(?<!\bthe)(?<!\ba)(?<!\ban)(?<!\btwo)(?<!\bhis)(?<!\bher)(?<!\bof)(?<!\bwith)(?<!\bin) ({'|'.join(_VERBS)})\b"
)
_BASES = {base: ing for base, ing in _VERBS.values()}
_PLURAL = re.compile(
    rf"\b(men|women|people|children|kids|[a-z]+(?:[^us ]s)|and (?:an?|the) [a-z]+) ({'|'.join(_BASES)})\b"
)

_CLOTHES = (
    "shirts?|dress|dresses|suits?|hats?|jackets?|coats?|uniforms?|shorts|jeans|pants|sweaters?|sweatshirts?|jerseys?"
    "|t-shirts?|vests?|helmets?|costumes?|bikinis?|outfits?|clothing|clothes|caps?|tops?|trunks|glasses|gear|skirts?"
    "|hoodies?|wetsuits?|bathing suits?|swimsuits?|overalls|scarf|robes?"
)
_BEFORE: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    (r" 's\b", "'s"),
    (r"(?: (?:in front|of|with|on|in|at|to|and|an?|the))+$", ""),  # a caption that was cut at its longest
    (r"\bt ?- ?shirt", "shirt"),
    (r"\b(climb(?:ing|s)?) up\b", r"\1"),
    (r"\boverlooking\b", "in front of"),
    (r"\bgets? ready to\b", "is going to"),
    (r"\bstanding around(?= in\b)", "standing"),
    (r"\bin (?:{0}) and (?:{0}) (?=is|are)".format("red|blue|green|yellow|black|white|orange|purple"), ""),
    (r"\bwearing (?=nothing)", "with "),
    (r"\b(?:close ?-?up)(?= of)", "near view"),
    (r"\bin ((?:(?:a|an|the|his|her|their|all) )?(?:[a-z-]+ (?:and )?){0,3}?(?:" + _CLOTHES + r"))\b", r"with \1"),
    (r"\b(is|are) (?:standing|stood)(?: up)?\b", r"\1 upstanding"),
    (r"\bstanding\b", "that is upstanding"),
    (r"\b(?:sitting|sat|seated)\b", "seated"),
    (r"\bnext to\b", "beside"),
    (r"\bdirt (?=road|path|track|trail|hill)", "earth "),
    (r"\bcity street\b", "street of the city"),
    (r"\bsnow[- ]covered\b", "snowy"),
    (r"\b(?:dressed|wearing) (?=in\b)", "dressed "),
    (r"\bout of\b", "from"),
    (r"\bgrassy ([a-z]+)\b", r"\1 of grass"),
    (r"\bwooded area\b", "forest"),
    (r"\b([a-z]+)[- ]haired ([a-z]+)\b", r"\2 with \1 hair"),
    (r"\b(?:shirtless|topless) ([a-z]+)\b", r"\1 without shirt"),
    (r"\bbald ([a-z]+)\b", r"\1 without hair"),
    (r"\bbearded ([a-z]+)\b", r"\1 with beard"),
    (r"\bblonde\b", "blond"),
    (r"\b(?:fluffy|furry|shaggy)\b", "hairy"),
    (r"\b(?:in )?(?:midair|mid-air|mid air)\b", "in the air"),
    (r"\bairborne\b", "in the air"),
    (r"\b(brightly|multi|light|dark|cream)?[- ]?colored ", ""),
    (r"\bplaid ([a-z]+)\b", r"\1 of squares"),
    (r"\b(a|the|two|three|young|small) smiling ([a-z]+)\b", r"\1 \2 that is smiling"),
    (r"\bwhilst\b", "while"),
    (r"\bstaring\b", "looking"),
    (r"\bjogging\b", "running"),
    (r"\batop\b", "on"),
    (r"\bindoors\b", "inside"),
    (r"\bdownhill\b", "down a hill"),
    (r"\b(asian|german|american|african|japanese|mexican|chinese|indian)\b", lambda m: m[1].capitalize()),
    (r"\bon top of\b", "on"),
    (r"\b(bikini|halter|crop|red|blue|green|yellow|pink|orange|purple|white|black|brown|striped) top\b", r"\1 blouse"),
)

# --- The glossary: singular, plural, gender in Spanish ---------------------------------------------------

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
}
_IRREGULAR = {
    "baby": "babies",
    "lady": "ladies",
    "puppy": "puppies",
    "bunny": "bunnies",
    "little child": "little children",
}
# Rare words of a captioner that Apertium knows, by gender: English singular and plural, Spanish singular and plural.
_STAND_INS = {
    "f": (
        ("lamp", "lamps", "lámpara", "lámparas"),
        ("pear", "pears", "pera", "peras"),
        ("spoon", "spoons", "cuchara", "cucharas"),
        ("candle", "candles", "vela", "velas"),
        ("pumpkin", "pumpkins", "calabaza", "calabazas"),
    ),
    "m": (
        ("violin", "violins", "violín", "violines"),
        ("bucket", "buckets", "cubo", "cubos"),
        ("melon", "melons", "melón", "melones"),
        ("piano", "pianos", "piano", "pianos"),
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

# --- Spanish: what is changed after ----------------------------------------------------------------------

_INSTRUMENT = (  # what is not "tocar" is "jugar"
    r"(?! (?:(?:el|la|un|una|su|sus|los|las|unos|unas) )?"
    r"(?:guitarra|música|tambor|piano|instrumento|viol|trompeta|flaut|acorde))"
)
_AFTER = (
    (r"\bque está de pie\b", "de pie"),
    (r"\bque están de pie\b", "de pie"),
    (r"\b(está|están) (?:siendo |estando |el |un )?de pie\b", r"\1 de pie"),
    (r"\bes (?=en |de pie|junto|sobre|delante|cerca|dentro|fuera)", "está "),
    (r"\bson (?=en |de pie|junto|sobre|delante|cerca|dentro|fuera)", "están "),
    (r"\btocando" + _INSTRUMENT, "jugando"),
    (r"\btoca" + _INSTRUMENT + r"\b", "juega"),
    (r"\btocan" + _INSTRUMENT + r"\b", "juegan"),
    (r"\b(jugando|juega|juegan) (?=fútbol|tenis|béisbol|baloncesto|hockey|rugby|voleibol|golf)", r"\1 al "),
    (r"\baguantando\b", "sosteniendo"),
    (r"\baguanta\b", "sostiene"),
    (r"\baguantan\b", "sostienen"),
    (r"\b(mirando|mira|miran) en(?= )", r"\1 a"),
    (r"\babajo (?=un|el |la |los |las |su )", "por "),
    (r"\barriba (?=un|el |la |los |las |su )", "por "),
    (r"\b(?:una )?(?:vista cercana|cercana vista)\b", "un primer plano"),
    (r"\bde (?:cuadrados|plazas)\b", "a cuadros"),
    (r"\btachad(?=[oa])", "rayad"),
    (r"\ba el\b", "al"),
    (r"\bde el\b", "del"),
    (r"\bestá llevando\b", "lleva"),
    (r"\bestán llevando\b", "llevan"),
    (r"\bes llevar\b", "lleva"),
    (r"\bgrupo de las personas\b", "grupo de personas"),
    (r"\bel de fondo\b", "el fondo"),
)

# "Un niño que lleva una camisa está sentada": Apertium looks at the nearest noun, not at the subject.
_SUBJECT = re.compile(
    r"^(una?)( (?:(?! y | está ).)+ (?:que|con) (?:(?! y | está ).)+ está (?:sentad|tumbad|parad|vestid))[oa]\b", re.I
)

_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][\w'-]*(?: [A-Z][\w'-]*)*")


def to_spanish(text: str, timeout: float) -> Translation:
    """Translate one English caption.

    Args:
        text: in small letters but for names, which stay as they are.
        timeout: seconds.

    Raises:
        MissingProgram, TimedOut, BadInput: see `apertium.translate`.
    """
    prepared, changes = _prepare(text)
    return _finish(apertium.translate(prepared, timeout), changes)


def lines_to_spanish(texts: Sequence[str], timeout: float) -> list[Translation]:
    """Translate many English captions in one run; see `apertium.translate_lines`."""
    prepared = [_prepare(text) for text in texts]
    made = apertium.translate_lines([text for text, _ in prepared], timeout)
    return [_finish(one, changes) for one, (_, changes) in zip(made, prepared, strict=True)]


def _prepare(text: str) -> tuple[str, dict[str, str]]:
    """The text as Apertium is to see it, and what to replace in its translation."""
    changes: dict[str, str] = {}

    def hide(match: re.Match[str]) -> str:
        hidden = f"Qx{'abcdefghij'[len(changes) % 10]}q"
        changes[hidden] = match[0]
        return hidden

    text = _NAME.sub(hide, text)
    text = _SINGULAR.sub(lambda m: f" is {_VERBS[m[1]][1]}", text)
    text = _PLURAL.sub(lambda m: f"{m[1]} are {_BASES[m[2]]}", text)
    for pattern, new in _BEFORE:
        text = re.sub(pattern, new, text)
    free = list(_VERB_STAND_INS)
    for verb, forms in _VERB_GLOSSARY.items():
        if not free or not re.search(rf"\b{verb}\b", text):
            continue
        stand_in, said = free.pop(0)
        at = verb == "looking"
        text = re.sub(rf"\b{verb}\b{'(?: at| on)?' if at else ''}", stand_in, text)
        changes.update({old: new + (" a" if at else "") for old, new in zip(said, forms, strict=True)})
    text = text.replace("upstanding", "standing")
    text = _NOUNS.sub(_StandIns(changes), text)
    return " ".join(text.split()), changes


class _StandIns:
    """Puts a stand-in where a word of the glossary stands, each word its own."""

    def __init__(self, changes: dict[str, str]) -> None:
        self._changes = changes
        self._free = {gender: list(words) for gender, words in _STAND_INS.items()}
        self._given: dict[str, tuple[str, str, str, str]] = {}

    def __call__(self, match: re.Match[str]) -> str:
        single, plural = _BY_FORM[match[0]]
        one, many, gender = _GLOSSARY[single]
        if single not in self._given:
            if not self._free[gender.lower()]:
                return match[0]
            self._given[single] = self._free[gender.lower()].pop(0)
            stand_in = self._given[single]
            self._changes.update({stand_in[2]: one, stand_in[3]: many})
        return self._given[single][1 if plural else 0]


def _forms() -> dict[str, tuple[str, bool]]:
    """Each form of a word of the glossary: the word, and whether the form is a plural."""
    found = {}
    for word, (_, _, gender) in _GLOSSARY.items():
        if gender.isupper():
            found[word] = (word, True)
            continue
        found[word] = (word, False)
        found[_IRREGULAR.get(word) or word + ("es" if word.endswith(("s", "sh", "ch")) else "s")] = (word, True)
    return found


_BY_FORM = _forms()
_NOUNS = re.compile(rf"\b(?:{'|'.join(sorted(map(re.escape, _BY_FORM), key=len, reverse=True))})\b")


def _finish(made: Translation, changes: dict[str, str]) -> Translation:
    text = made.text
    if changes:
        wanted = re.compile(rf"\b({'|'.join(sorted(map(re.escape, changes), key=len, reverse=True))})\b", re.IGNORECASE)

        def put(match: re.Match[str]) -> str:
            new = changes.get(match[0]) or changes[match[0].lower()]
            return new[:1].upper() + new[1:] if match[0][0].isupper() and match[0] not in changes else new

        text = wanted.sub(put, text)
    for pattern, new in _AFTER:
        text = re.sub(pattern, new, text)
    text = _SUBJECT.sub(lambda m: f"{m[1]}{m[2]}{'a' if m[1].lower() == 'una' else 'o'}", text)
    return Translation(text, tuple(word for word in made.unknown if word not in changes))
