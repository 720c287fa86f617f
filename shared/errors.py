"""Everything that can go wrong by design. Errors are raised with ids; the class owns the wording.

`shared.http.problems` holds the one table from class to HTTP status.
"""

from datetime import timedelta


class EnvctlError(Exception):
    """The root of the tree. `str()` of an error is a sentence that a user may read."""


# What a store or a queue reports -------------------------------------------------------------


class Conflict(EnvctlError):
    """Somebody else wrote the document since it was read. Read again, decide again."""

    def __init__(self, document: str) -> None:
        super().__init__(f"{document} was changed by somebody else in the meantime.")


class AlreadyExists(EnvctlError):
    """A document that was to be created exists."""

    def __init__(self, document: str) -> None:
        super().__init__(f"{document} exists already.")


class Unavailable(EnvctlError):
    """The database or the queue did not answer in time, or can't be reached now."""

    def __init__(self, part: str, retry_after: timedelta = timedelta(seconds=1)) -> None:
        self.retry_after = retry_after
        super().__init__(f"The {part} is not available at the moment. Try again shortly.")


class MissingIndex(EnvctlError):
    """A query whose shape is not declared in `shared/indexes.json`: a mistake in the program."""

    def __init__(self, shape: str) -> None:
        super().__init__(f"No index serves the query {shape}.")


# What stops a process from starting ----------------------------------------------------------


class StartupError(EnvctlError):
    """A process can't start. The sentence is all that its user sees."""


class BadSetting(StartupError):
    """An environment variable has a value that can't be used."""

    def __init__(self, variable: str, fault: str) -> None:
        super().__init__(f"{variable}: {fault}")


class HomeUnusable(StartupError):
    """The data folder can't be made, read or written."""

    def __init__(self, folder: str, fault: str) -> None:
        super().__init__(f"The data folder {folder} can't be used: {fault}. Set ENVCTL_HOME to another folder.")


class DatabaseTooNew(StartupError):
    """The database file was written by a later version of envctl."""

    def __init__(self, file: str, found: int, known: int) -> None:
        super().__init__(
            f"{file} was written by a newer envctl (its schema is {found}, this version knows {known}). "
            "Update envctl, or set ENVCTL_HOME to another folder."
        )


class PortTaken(StartupError):
    """Another process listens on the port."""

    def __init__(self, port: int, fault: str) -> None:
        super().__init__(f"Port {port} can't be used: {fault}. Set PORT to another one.")
