"""Spanish captions mended: what Apertium writes as nobody would say it.

Apertium looks at the nearest noun, not at the subject, and translates word by word. Some of what is to be mended can be
told from the Spanish alone; for the rest, such as the number of the verb, the English is asked.
"""

from __future__ import annotations

import re

_INSTRUMENT = (  # what is not "tocar" is "jugar"
    r"(?! (?:(?:el|la|un|una|su|sus|los|las|unos|unas) )?"
    r"(?:guitarra|música|tambor|piano|instrumento|viol|trompeta|flaut|acorde))"
)
_PERSON = (
    "hombres?|mujer(?:es)?|niñ[oa]s?|personas?|jugador(?:a|es|as)?|chic[oa]s?|bebés?|señoras?|multitud|jinetes?"
    "|soldados?|jóvenes"
)
_ALL = "un|una|unos|unas|el|la|los|las|dos|tres|otro|otra"
_MOVING = "corriendo|caminando|volando|saltando|nadando|corren?|caminan?|vuelan?|nadan?"
_TOUCHING = "abordar|abrazando|abrazan?|persiguiendo|persiguen?|sosteniendo|sostienen?"
_DONE = "sentad|tumbad|parad|vestid|rodead|cubiert"
_ONE = "(?:un|una|el|la|otro|otra)"
_MENDED = (
    (r"\bque está de pie\b", "de pie"),
    (r"\bque están de pie\b", "de pie"),
    (r"\b(está|están) (?:siendo |estando |el |un )?de pie\b", r"\1 de pie"),
    (r"\bes (?=en |de pie|junto|sobre|delante|cerca|dentro|fuera)", "está "),
    (r"\bson (?=en |de pie|junto|sobre|delante|cerca|dentro|fuera)", "están "),
    (r"\btocando" + _INSTRUMENT, "jugando"),
    (r"\btoca" + _INSTRUMENT + r"\b", "juega"),
    (r"\btocan" + _INSTRUMENT + r"\b", "juegan"),
    (r"\b(jugando|juega|juegan) (?=fútbol|tenis|béisbol|baloncesto|hockey|rugby|voleibol|golf)", r"\1 al "),
    (r"\b(jugando|juega|juegan) (?=un juego|juegos)", r"\1 a "),
    (r"\baguantando\b", "sosteniendo"),
    (r"\baguanta\b", "sostiene"),
    (r"\baguantan\b", "sostienen"),
    (r"\b(mirando|mira|miran) en(?= )", r"\1 a"),
    (r"\b(sonriendo|sonríe|sonríen) (?:en|para)(?= (?:la|una) cámara)", r"\1 a"),
    (r"\babajo (?=un|el |la |los |las |su )", "por "),
    (r"\barriba (?=un|el |la |los |las |su )", "por "),
    (r"\b(?:una )?(?:vista cercana|cercana vista)\b", "un primer plano"),
    (r"\bde (?:cuadrados|plazas)\b", "a cuadros"),
    (r"\btachad(?=[oa])", "rayad"),
    (r"\bestá llevando\b", "lleva"),
    (r"\bestán llevando\b", "llevan"),
    (r"\bes llevar\b", "lleva"),
    (r"\bgrupo de l[oa]s (?=\w+(?: \w+)? (?:que|están?|con)\b)", "grupo de "),
    (r"\bgrupo de las personas\b", "grupo de personas"),
    (r"\bel de fondo\b", "el fondo"),
    # Verbs of moving: "montando una bicicleta" puts one together, "andando" is Spain's, and one runs "por la hierba".
    (r"\b(montando|monta|montan) (?=(?:una?|la|su|dos) (?:bicicleta|motocicleta|caballo|monopatín))", r"\1 en "),
    (r"\b(montando|monta|montan) caballos\b", r"\1 a caballo"),
    (r"\b(?:está) montando en (?=una piragua|un bote|un barco|un automóvil|un tren|una balsa)", "va en "),
    (r"\b(?:están) montando en (?=una piragua|un bote|un barco|un automóvil|un tren|una balsa)", "van en "),
    (r"\bandando\b", "caminando"),
    (r"\banda(?=n? (?:por|en|sobre|con|junto))", "camina"),
    (rf"\b({_MOVING}) a través de(?=l? )", r"\1 por de"),
    (r"\bpor del\b", "por el"),
    (r"\bpor de(?= )", "por"),
    (r"\b(saltando|saltan?) (?:fuera )?de(?= una? )", r"\1 desde"),
    (r"\bcog(?:er)\b", "atrapar"),
    (r"\bcogiendo\b", "atrapando"),
    # What is one's own needs no possessive in Spanish.
    (r"\b(en|sobre|con|de) sus? (boca|mano|cabeza|espalda|cara|cuello|hombro|regazo|lengua)\b", r"\1 la \2"),
    (r"\b(en|sobre|con|de) la (cuello|hombro|regazo)\b", r"\1 el \2"),
    (r"\b(en|sobre|con) sus (manos|espaldas|cabezas|caras)\b", r"\1 las \2"),
    (r"\b(en|sobre|con) sus (brazos|hombros|ojos)\b", r"\1 los \2"),
    # "pants" is a plural without an article, to which Apertium gives one.
    (r"\by l[oa]s (?=(?:pantalones|gafas|zapatos|guantes|botas|calcetines|zapatillas|cascos|sombreros)\b)", "y "),
    (r"\ben el fondo\b(?! del?\b)", "al fondo"),
    (r"\ben una (?:línea|fila)\b", "en fila"),
    (r"\b(fotografía|imagen) negra y blanca\b", r"\1 en blanco y negro"),
    (r"\b(hombres?|mujer(?:es)?|soldados?|niñ[oa]s?|personas?) en (?:un caballo|caballos)\b", r"\1 a caballo"),
    (r"\baparcad(?=[oa])", "estacionad"),
    (r"\bcon cada (?:otro|otra|cual otro)\b", "entre sí"),
    (r"\b(mirando|miran) (?:a )?cada (?:otro|cual otro)\b", r"\1se"),
    (r"\bmiranse\b", "se miran"),
    (rf"\b({_TOUCHING}) (?=(?:{_ALL}) (?:{_PERSON})\b)", r"\1 a "),
    (r"\ben el lado de (?=(?:una?|la|el) (?:carretera|calle|camino|sendero|río))", "al borde de "),
    (r"\buna multitud grande\b", "una gran multitud"),
    (r"\bdetrás le\b", "detrás de él"),
    (r"\b(mirando|miran?) a la vista\b", r"\1 el paisaje"),
    (r"\bla agua\b", "el agua"),
    (r"\ba el\b", "al"),
    (r"\bde el\b", "del"),
)

# What stands beside: the English that has to be there, the Spanish that is mended then.
_WITH_ENGLISH = (
    (r"\bat (?:an?|the) (?:\w+ )?table\b", r"\b(sentad[oa]s?|está|están) en (?=(?:una|la) mesa)", r"\1 a "),
    (r"\b(?:behind|beside|around|with) the woman$", r"\b(detrás de|junto a|alrededor de|con) la mujer$", r"\1 ella"),
    (r"^people\b", r"^[Ll]as personas\b", "unas personas"),
)

_SUBJECT = re.compile(rf"^(un|una|el|la)\b.*? está (?P<done>{_DONE})[oa]s?\b", re.I)
_TWO = re.compile(rf"^{_ONE}\b(?:(?! está ).)* y {_ONE}\b(?:(?! está ).)*? está\b", re.I)
_BOTH = re.compile(rf"^({_ONE})\b.*? y ({_ONE})\b(?:(?! y ).)*? están (?:{_DONE})(?P<ending>[oa])s\b", re.I)
_BODY = re.compile(
    rf"^((?:un|el) grupo|(?:una|la) (?:multitud|pareja|familia))\b(?P<rest>.*?) están( (?:{_DONE})[oa]s)?\b", re.I
)
_TWO_DONE = re.compile(rf"^(una?\b.*? y una?\b.*? )({_DONE})[oa](?= en | a | junto )", re.I)
_GERUNDS = {
    "mira": "mirando", "juega": "jugando", "habla": "hablando", "sonríe": "sonriendo", "posa": "posando",
    "espera": "esperando", "sostiene": "sosteniendo", "come": "comiendo", "bebe": "bebiendo", "baila": "bailando",
    "lee": "leyendo", "escribe": "escribiendo", "toca": "tocando", "corre": "corriendo",
}  # fmt: skip
_RELATIVE = re.compile(rf"(\best(?:á|án) .*?) que ({'|'.join(_GERUNDS)})n?\b")


def mend(text: str, english: str) -> str:
    """A Spanish caption as one would say it.

    Args:
        text: Apertium's translation.
        english: what it was given to translate.
    """
    for pattern, new in _MENDED:
        text = re.sub(pattern, new, text)
    for wanted, pattern, new in _WITH_ENGLISH:
        if re.search(wanted, english):
            text = re.sub(pattern, new, text)
    return _agree(text, english)


def _agree(text: str, english: str) -> str:
    """The text with its verb and what hangs on it in number and gender of the subject, not of the nearest noun."""
    verb = re.search(r"\b(?:is|are)\b", english)
    many = verb is not None and verb[0] == "are"
    if many and (two := _TWO.match(text)):
        end = two.end()
        rest = re.sub(rf"^( (?:{_DONE}))[oa]\b", r"\1os", text[end:])
        text = f"{text[: end - 1]}án{rest}"
    elif many and (both := _BOTH.match(text)) and {both[1].lower(), both[2].lower()} & {"un", "el", "otro"}:
        text = f"{text[: both.start('ending')]}o{text[both.end('ending') :]}"
    elif many and (body := _BODY.match(text)):  # "a group of people are"
        ending = "o" if body[1].lower().endswith("grupo") else "a"
        done = f"{body[3][:-2]}{ending}" if body[3] else ""
        text = f"{body[1]}{body['rest']} está{done}{text[body.end() :]}"
    elif not many and (one := _SUBJECT.match(text)):
        ending = "a" if one[1].lower() in ("una", "la") else "o"
        text = f"{text[: one.start('done')]}{one['done']}{ending}{text[one.end() :]}"
    elif verb is None:
        text = _TWO_DONE.sub(r"\1\2os", text)
    # "está de pie en la playa que mira al mar": what the subject does, not the beach
    return _RELATIVE.sub(lambda m: f"{m[1]} {_GERUNDS[m[2]]}", text)
