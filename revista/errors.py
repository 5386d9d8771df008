"""What can go wrong, as exceptions that tell the user what to type next.

Every error the user can meet is a `RevistaError` with a message (what happened), a hint (what to do) and a
category; the category decides the exit code of the command line and goes into the `Problem` records.
docs/errors.md lists them all.
"""

from enum import IntEnum, StrEnum


class ExitCode(IntEnum):
    """Exit codes of the `revista` command; documented in docs/errors.md and never renumbered."""

    OK = 0
    INTERNAL_ERROR = 1
    BAD_ARGUMENTS = 2  # also what click uses for a usage error
    BAD_INPUT = 3
    MISSING_PROGRAM = 4
    MISSING_WEIGHTS = 5
    TOO_MANY_PROBLEMS = 6
    STORAGE = 7
    BUSY = 8
    INTERRUPTED = 130  # 128 + SIGINT, as shells report it


class Category(StrEnum):
    """What kind of trouble a `Problem` or a `RevistaError` reports."""

    BAD_ARGUMENTS = "bad_arguments"
    BAD_INPUT = "bad_input"
    TOO_LARGE = "too_large"
    REDUCED = "reduced"  # the work was done, with a loss that is named
    TIMEOUT = "timeout"
    NO_MEMORY = "no_memory"
    MISSING_PROGRAM = "missing_program"
    MISSING_WEIGHTS = "missing_weights"
    MODEL = "model"
    TOO_MANY_PROBLEMS = "too_many_problems"
    STORAGE = "storage"
    BUSY = "busy"
    INTERNAL = "internal"


EXIT_CODES: dict[Category, ExitCode] = {
    Category.BAD_ARGUMENTS: ExitCode.BAD_ARGUMENTS,
    Category.BAD_INPUT: ExitCode.BAD_INPUT,
    Category.TOO_LARGE: ExitCode.BAD_INPUT,
    Category.REDUCED: ExitCode.BAD_INPUT,
    Category.TIMEOUT: ExitCode.BAD_INPUT,
    Category.NO_MEMORY: ExitCode.INTERNAL_ERROR,
    Category.MISSING_PROGRAM: ExitCode.MISSING_PROGRAM,
    Category.MISSING_WEIGHTS: ExitCode.MISSING_WEIGHTS,
    Category.MODEL: ExitCode.INTERNAL_ERROR,
    Category.TOO_MANY_PROBLEMS: ExitCode.TOO_MANY_PROBLEMS,
    Category.STORAGE: ExitCode.STORAGE,
    Category.BUSY: ExitCode.BUSY,
    Category.INTERNAL: ExitCode.INTERNAL_ERROR,
}

# Trouble that a second try can mend without any change to the input: never taken as a finished result.
PASSING = frozenset(
    {
        Category.TIMEOUT,
        Category.NO_MEMORY,
        Category.MISSING_PROGRAM,
        Category.MISSING_WEIGHTS,
        Category.STORAGE,
        Category.BUSY,
        Category.INTERNAL,
    }
)


class RevistaError(Exception):
    """An error with a message, a hint that says what to do next, and a category."""

    category = Category.INTERNAL

    def __init__(self, message: str, hint: str = "", *, category: Category | None = None) -> None:
        """Keep `message` (what happened), `hint` (what to do) and the category."""
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.category = category or type(self).category

    def __str__(self) -> str:
        """Message and hint in one line, as an operator reads them in a log or in the state of a flow run."""
        return f"{self.message} → {self.hint}" if self.hint else self.message

    @property
    def exit_code(self) -> ExitCode:
        """The exit code with which the command line ends on this error."""
        return EXIT_CODES[self.category]


class BadArguments(RevistaError):
    """A setting or an option that cannot be meant; nothing was done."""

    category = Category.BAD_ARGUMENTS


class BadInput(RevistaError):
    """A file that cannot be read as what it should be."""

    category = Category.BAD_INPUT


class TimedOut(RevistaError):
    """An external program that did not finish in its time, or was killed before."""

    category = Category.TIMEOUT


class MissingProgram(RevistaError):
    """An external program (Tesseract, poppler, Apertium) that is not installed or lacks a language."""

    category = Category.MISSING_PROGRAM


class MissingWeights(RevistaError):
    """Model weights that are not at hand."""

    category = Category.MISSING_WEIGHTS


class ModelError(RevistaError):
    """A model that failed on an item."""

    category = Category.MODEL


class TooManyProblems(RevistaError):
    """More pages failed than the settings allow."""

    category = Category.TOO_MANY_PROBLEMS


class StorageError(RevistaError):
    """The archive folder cannot be written: a full disk, missing rights."""

    category = Category.STORAGE


class Busy(RevistaError):
    """Another process is at work on the same thing."""

    category = Category.BUSY
