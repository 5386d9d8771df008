"""English captions made ready for Apertium: verbs in a form that it knows as verbs, phrases that it knows."""

from __future__ import annotations

import re
from collections.abc import Callable

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

_PLURALS = {"man": "men", "child": "children", "person": "people", "fish": "fish", "sheep": "sheep"}  # as words end

_CLOTHES = (
    "shirts?|dress|dresses|suits?|hats?|jackets?|coats?|uniforms?|shorts|jeans|pants|sweaters?|sweatshirts?|jerseys?"
    "|t-shirts?|vests?|helmets?|costumes?|bikinis?|outfits?|clothing|clothes|caps?|tops?|trunks|glasses|gear|skirts?"
    "|hoodies?|wetsuits?|bathing suits?|swimsuits?|overalls|scarf|robes?"
)
_BEFORE: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    (r" 's\b", "'s"),
    (r"(?<=[a-z]) - (?=[a-z])", "-"),
    (r"(?: (?:in front of|next to|with|on|in|at|near) (?:an?|the) (?:large|small|white|black|red|blue|green))$", ""),
    # A model that has nothing more to say says the same again.
    (r"\b(in|with) (an? [a-z]+(?: [a-z]+)?) and \2\b", r"\1 \2"),
    (r"\b(an? (?:[a-z]+ )?[a-z]+(?: of [a-z]+)?)((?: [a-z]+){0,8}?) (?:in front of|next to|with) \1$", r"\1\2"),
    (r"^an? ([a-z]+(?: [a-z]+)?) and an? \1 (are|is)\b", lambda m: f"two {plural(m[1])} are"),
    (r"\b(red|blue|green|yellow|black|white|grey|gray|brown|pink) and \1\b", r"\1"),
    (r"(?: (?:in front|of|with|on|in|at|to|and|an?|the))+$", ""),  # a caption that was cut at its longest
    (r"\bt-shirt", "shirt"),
    (r"\brock climbing\b", "climbing a rock"),
    (r"\b(stone|concrete) ([a-z]+)\b", r"\2 of \1"),
    (r"\boutside of\b", "outside"),
    (r"\b(?:near|close to) (?=an?|the|some|two|his|her|their)", "next to "),
    (r"\ban? (?:large )?body of water\b", "the water"),
    (r"\bover water\b", "over the water"),
    (r"\boff (?:of )?(?=an?\b|the\b)", "from "),
    (r"\bjumping up (?=to\b)", "jumping "),
    (r"\bhorse and rider\b", "horse and a rider"),
    (r"\b(behind|beside|in front of|with|around) her$", r"\1 the woman"),
    (r"\barms (?:out)?stretched(?: out)?\b", "open arms"),
    (r"(?<!is )(?<!are )(?<!that is )\bswimming (?=in|on|through|under)", "that is swimming "),
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
    (r"\bdirt (road|path|track|trail|hill)", r"\1 of earth"),
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


def simplify(text: str) -> str:
    """An English caption in small letters in words and forms that Apertium knows."""
    text = _SINGULAR.sub(lambda m: f" is {_VERBS[m[1]][1]}", text)
    text = _PLURAL.sub(lambda m: f"{m[1]} are {_BASES[m[2]]}", text)
    for pattern, new in _BEFORE:
        text = re.sub(pattern, new, text)
    return text


def plural(noun: str) -> str:
    """An English noun, words before it included, in the plural: `black dogs`."""
    for single, many in _PLURALS.items():
        if noun.endswith(single):
            return noun.removesuffix(single) + many
    if noun.endswith("y") and noun[-2:-1] not in tuple("aeiou"):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "sh", "ch", "x")) else f"{noun}s"
