"""Stage 7: Spanish sentences about each picture, each with what it rests on.

What a model saw is said as a model's words (`seen`); what is printed is quoted, never retold (`printed`), and so is
what the collection's index says of the page (`indexed`); nobody is named but by print and index (`names`);
old-fashioned and offensive terms are marked in both, and no model says them (`sensitive`). Without a captioner the
description is built from what is printed, and the reason is kept.
"""

from __future__ import annotations

from revista import translation
from revista.descriptions import indexed
from revista.descriptions.printed import Printed
from revista.descriptions.seen import BY_PRINT, NOT_DESCRIBED, UNRELIABLE, Seen
from revista.records import Candidates, Contexts, Description, Descriptions, Listed, Problem, Ranking
from revista.settings import DescriptionsSettings
from revista.translation import Translator

__all__ = ["BY_PRINT", "NAME", "NOT_DESCRIBED", "UNRELIABLE", "VERSION", "run", "software", "weights"]

NAME = "descriptions"
VERSION = "5"


def software(options: DescriptionsSettings) -> dict[str, str]:
    """Versions of what the result depends on; empty where Apertium is missing, which only translations need."""
    return translation.software(options.translator)


def weights(options: DescriptionsSettings) -> dict[str, str]:
    """Hex sha256 of the translator's files, by name; empty for Apertium.

    Raises:
        MissingWeights: the settings name a checkpoint that is not at hand.
    """
    return translation.weights(options.translator)


def run(
    number: int,
    contexts: Contexts,
    candidates: Candidates,
    ranking: Ranking,
    options: DescriptionsSettings,
    timeout: float,
    translator: Translator | None = None,
    listed: Listed | None = None,
) -> Descriptions:
    """Describe the pictures of a page in Spanish.

    Args:
        number: the page, 1-based.
        contexts: what is printed around each picture.
        candidates: what a captioner proposes; its reason where there was none.
        ranking: what a ranker chose.
        options: from which confidence on print is quoted.
        timeout: seconds that a translation may take.
        translator: who translates what an English captioner says; None: Apertium.
        listed: what the collection's index says of the page; None: nothing.

    Raises:
        MissingProgram: a sentence has to be translated and Apertium is not installed.
    """
    translator = translator or translation.Apertium()
    proposed = {item.picture: item for item in candidates.pictures}
    ranked = {item.picture: item for item in ranking.pictures}
    described, problems = [], []
    for context in contexts.pictures:
        chosen = ranked.get(context.picture)
        seen, printed = Seen(number, context, options, timeout, translator), Printed(number, context, options)
        said, undescribed = seen.sentences(proposed.get(context.picture), chosen, candidates.captioner, ranking.ranker)
        sentences = [
            *printed.caption(),
            *said,
            *printed.article(chosen),
            *indexed.sentences(listed, number, context.box),
        ]
        described.append(
            Description(picture=context.picture, box=context.box, sentences=tuple(sentences), undescribed=undescribed)
        )
        problems += [
            Problem.from_error(error, NAME, number, context.picture) for error in (*printed.errors, *seen.errors)
        ]
    problems += [Problem.from_error(lost, NAME, number) for lost in indexed.losses(listed)]
    return Descriptions(pictures=tuple(described), problems=tuple(problems))
