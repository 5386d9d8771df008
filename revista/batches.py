"""Many pages' questions to a model, answered in one batch.

A stage is a function over one page, and asks its model once it has cut out the page's pictures. Here several pages
take turns: each goes on until it asks, then all that was asked goes to the model at once, then each goes on with its
own answers. Threads serve as coroutines: of the pages and the model only one runs at any time, so that no stage has
to know of it, and only one page image lies in memory, beside the pictures that wait.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

ResultT = TypeVar("ResultT")

Through = Callable[[Any], Any]
"""Makes of a model (whatever has `predict(requests) -> answers`) one that asks it together with other pages."""


@dataclass(frozen=True)
class _Question:
    """What a page has asked a model, and waits for."""

    number: int  # of the page's work
    model: Any
    requests: list[Any]
    answer: Future[list[Any]] = field(default_factory=Future)


@dataclass(frozen=True)
class _End(Generic[ResultT]):
    """How a page's work came out."""

    number: int
    result: ResultT | None = None
    error: BaseException | None = None


class _Batched:
    """A model as a page sees it that takes turns with others."""

    def __init__(self, model: Any, ask: Callable[[Any, list[Any]], Future[list[Any]]]) -> None:
        self._model, self._ask = model, ask

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def predict(self, requests: Sequence[Any]) -> list[Any]:
        return self._ask(self._model, list(requests)).result()


def together(works: Sequence[Callable[[Through], ResultT]]) -> list[ResultT]:
    """Do several pages' work, such that what they ask of a model is asked in one call.

    A model that fails over the whole of it is asked again for each page alone, so that none pays for another.

    Args:
        works: each is given what makes its models ask together, and may ask any number of times.

    Returns:
        What each returned, in order.

    Raises:
        BaseException: what the first of them raised; those behind it are not begun, those that wait are ended.
    """
    turns: SimpleQueue[_Question | _End[ResultT]] = SimpleQueue()  # what the one that ran says when it stops
    results: dict[int, Any] = {}
    waiting: list[_Question] = []
    over: list[BaseException] = []

    def do(number: int, work: Callable[[Through], ResultT]) -> None:
        def ask(model: Any, requests: list[Any]) -> Future[list[Any]]:
            question = _Question(number, model, requests)
            turns.put(question)
            if over:  # nobody will answer any more
                raise over[0]
            return question.answer

        try:
            turns.put(_End(number, work(lambda model: _Batched(model, ask))))
        except BaseException as error:
            turns.put(_End(number, error=error))

    def await_turn() -> None:
        said = turns.get()
        if isinstance(said, _Question):
            waiting.append(said)
        elif said.error is not None:
            raise said.error
        else:
            results[said.number] = said.result

    with ThreadPoolExecutor(max(1, len(works)), thread_name_prefix="page") as pool:
        try:
            for number, work in enumerate(works):
                pool.submit(do, number, work)
                await_turn()
            while waiting:
                answers = _answers(waiting)
                for question, answer in zip(waiting.copy(), answers, strict=True):
                    waiting.remove(question)
                    _deliver(question, answer)
                    await_turn()
        except BaseException as error:
            over.append(error)
            while not turns.empty():
                if isinstance(said := turns.get(), _Question):
                    waiting.append(said)
            for question in waiting:
                _deliver(question, error)
            raise
    return [results[number] for number in range(len(works))]


def _deliver(question: _Question, answer: list[Any] | BaseException) -> None:
    if isinstance(answer, BaseException):
        question.answer.set_exception(answer)
    else:
        question.answer.set_result(answer)


def _answers(questions: Sequence[_Question]) -> list[list[Any] | Exception]:
    """The answers to `questions` in order, those to one model by one call; an error where even alone it fails."""
    answers: dict[int, list[Any] | Exception] = {}
    for model in {id(question.model): question.model for question in questions}.values():
        asked = [question for question in questions if question.model is model]
        try:
            found = iter(_all(model, [request for question in asked for request in question.requests]))
            answers |= {question.number: [next(found) for _ in question.requests] for question in asked}
        except Exception:  # whatever a model raises: each page meets it alone, as without the others
            answers |= {question.number: _alone(question) for question in asked}
    return [answers[question.number] for question in questions]


def _alone(question: _Question) -> list[Any] | Exception:
    try:
        return _all(question.model, question.requests)
    except Exception as error:
        return error


def _all(model: Any, requests: list[Any]) -> list[Any]:
    """The model's answers, as many as there are requests."""
    return [answer for _, answer in zip(requests, model.predict(requests), strict=True)]
