"""What makes a request unusable before anybody looks at what it asks for."""

from shared.errors import EnvctlError


class MalformedBody(EnvctlError):
    """The body is not what its content type says."""

    def __init__(self, fault: str) -> None:
        super().__init__(f"The request body can't be read: {fault}.")


class UnsupportedMediaType(EnvctlError):
    """The body has no content type, or one that this operation doesn't take."""

    def __init__(self, expected: str, given: str | None) -> None:
        said = "has no Content-Type" if not given else f"has Content-Type {given}"
        super().__init__(f"The request body {said}; this operation takes {expected}.")


class BodyTooLarge(EnvctlError):
    """The body is longer than any that the API takes."""

    def __init__(self, most: int) -> None:
        super().__init__(f"The request body is longer than {most} bytes, the most that is taken.")


class HeadersTooLarge(EnvctlError):
    """A header is longer than any that is taken."""

    def __init__(self, most: int) -> None:
        super().__init__(
            f"A header, or several of one name together, is longer than {most} bytes, the most that is taken."
        )


class UnknownPath(EnvctlError):
    """No operation has this path."""

    def __init__(self, path: str) -> None:
        super().__init__(f"There is nothing at {path}. The API is described at /docs and /openapi.json.")


class MethodNotAllowed(EnvctlError):
    """The path exists, but not with this method."""

    def __init__(self, method: str, allowed: list[str]) -> None:
        self.allowed = allowed
        super().__init__(f"{method} is not possible here, only {', '.join(allowed)}.")
