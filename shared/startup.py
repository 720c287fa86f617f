"""What stops a process from starting."""

from shared.errors import EnvctlError


class StartupError(EnvctlError):
    """A process can't start. The sentence is all that its user sees."""


class BadSetting(StartupError):
    """An environment variable has a value that can't be used."""

    def __init__(self, variable: str, fault: str) -> None:
        super().__init__(f"{variable}: {fault}")


class HomeUnusable(StartupError):
    """The data folder can't be made, read or written."""

    def __init__(self, folder: str, fault: str) -> None:
        super().__init__(
            f"The data folder {folder} can't be used: {fault}. Set ENVCTL_HOME to another folder."
        )


class DatabaseTooNew(StartupError):
    """The database file was written by a later version of envctl."""

    def __init__(self, file: str, found: int, known: int) -> None:
        super().__init__(
            f"The database {file} comes from a newer envctl: its schema is {found}, this one knows {known}. "
            "Install the newer one, or set ENVCTL_HOME to another folder."
        )


class HomeOfOtherClock(StartupError):
    """The times in the data folder are those of the other kind of clock: virtual ones, or the real one's."""

    def __init__(self, folder: str, *, is_virtual: bool) -> None:
        has_run, cure = ("a virtual", "with") if is_virtual else ("the real", "without")
        super().__init__(
            f"The data folder {folder} has run on {has_run} clock, and its times don't fit the other kind. "
            f"Start it {cure} ENVCTL_CLOCK=virtual, or set ENVCTL_HOME to another folder."
        )


class PortTaken(StartupError):
    """Another process listens on the port."""

    def __init__(self, port: int, fault: str) -> None:
        super().__init__(f"Port {port} can't be used: {fault}. Set PORT to another one.")
