"""Everything that can go wrong by design. Errors are raised with ids; the class owns the wording.

`shared.http.problems` holds the one table from class to HTTP status.
"""

from collections.abc import Sequence
from dataclasses import dataclass
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


# What the lifecycle refuses ------------------------------------------------------------------


class TimelineFull(EnvctlError):
    """An object has seen as many steps as its document may hold."""

    def __init__(self, kind: str, most: int) -> None:
        super().__init__(
            f"This {kind} has been through {most} steps and can't take another. Create a new one."
        )


class EnvironmentNotRunning(EnvctlError):
    """A deployment needs a running environment."""

    def __init__(self, environment_id: str, status: str) -> None:
        super().__init__(f"Environment {environment_id} is {status}; deployments need one that is running.")


class EnvironmentEnding(EnvctlError):
    """An environment on its way out takes no changes."""

    def __init__(self, environment_id: str, status: str) -> None:
        super().__init__(f"Environment {environment_id} is {status} and can't be changed any more.")


class NotPossible(EnvctlError):
    """An action that is for other statuses."""

    def __init__(self, kind: str, object_id: str, status: str, action: str, possible: Sequence[str]) -> None:
        *others, last = possible
        wanted = f"{', '.join(others)} or {last}" if others else last
        super().__init__(f"{kind.capitalize()} {object_id} is {status}; {action} needs one that is {wanted}.")


class NoLease(EnvctlError):
    """A persistent environment doesn't expire."""

    def __init__(self, environment_id: str) -> None:
        super().__init__(f"Environment {environment_id} is persistent: there is no lease to extend.")


class FailedBefore(EnvctlError):
    """What had failed before it expired has nothing to go back to."""

    def __init__(self, environment_id: str) -> None:
        super().__init__(f"Environment {environment_id} had failed before it expired. Open a new one.")


class Busy(EnvctlError):
    """A deployment is unfinished, and the policy is to reject another one."""

    def __init__(self, environment_id: str, number: int, status: str) -> None:
        super().__init__(
            f"Deployment {number} of environment {environment_id} is {status}, and on_conflict is reject."
        )


class NothingToRollBackTo(EnvctlError):
    """No deployment was live before."""

    def __init__(self, environment_id: str) -> None:
        super().__init__(f"Environment {environment_id} has had no deployment live that it could go back to.")


class TooManyUnfinished(EnvctlError):
    """An environment has as many waiting and running deployments as it may."""

    def __init__(self, environment_id: str, most: int, retry_after: timedelta) -> None:
        self.retry_after = retry_after
        super().__init__(
            f"Environment {environment_id} has {most} unfinished deployments, the most it may have."
        )


class QuotaExceeded(EnvctlError):
    """The instance has as many of something as it may have."""

    def __init__(self, what: str, limit: int, used: int) -> None:
        super().__init__(
            f"This instance may have {limit} {what} and has {used}. Delete some, or ask whoever runs it "
            "for more."
        )


class ProjectInUse(EnvctlError):
    """A project with live environments is deleted only when that is asked for."""

    def __init__(self, project_id: str) -> None:
        super().__init__(
            f"Project {project_id} has live environments. Delete them first, or repeat with ?force=true."
        )


class NoAnswer(EnvctlError):
    """A function was asked to change something, and ended or fell silent before it answered."""

    def __init__(self, part: str) -> None:
        super().__init__(
            f"The {part} gave no answer: it may have done what was asked, or not. Look before you ask "
            "again, or repeat the request with the Idempotency-Key that it had."
        )


class ClockIsReal(EnvctlError):
    """Only a virtual clock can be looked at and advanced."""

    def __init__(self) -> None:
        super().__init__(
            "This instance runs on the real clock. One with a virtual clock is started on one machine, with "
            "a data folder of its own: ENVCTL_CLOCK=virtual ENVCTL_HOME=/tmp/virtual make run."
        )


class ClockAdvancing(EnvctlError):
    """The virtual clock is, or has just been, moved by somebody else."""

    def __init__(self) -> None:
        super().__init__(
            "The virtual clock is being advanced by another request. See where it stands, then try again."
        )


# What a request may not do -------------------------------------------------------------------


class NotFound(EnvctlError):
    """No such object, or none that the caller may see: the two can't be told apart."""

    def __init__(self, kind: str, object_id: str) -> None:
        super().__init__(f"There is no {kind} {object_id}.")


class Forbidden(EnvctlError):
    """The caller sees what it is about, and may not do this with it."""

    def __init__(self, needed: str, given: str) -> None:
        super().__init__(f"This needs {needed}; {given} does not suffice.")


class Unauthenticated(EnvctlError):
    """The request carries no valid access token. `presented`: it carries one that is not."""

    def __init__(self, fault: str, *, presented: bool = True) -> None:
        self.presented = presented
        super().__init__(
            f"{fault} Log in at /api/v1/auth/login and send Authorization: Bearer <access_token>."
        )


class PreconditionFailed(EnvctlError):
    """The object is not as the client believes."""

    def __init__(self) -> None:
        super().__init__("If-Match names another version of this object than there is now. Read it again.")


class BadPageToken(EnvctlError):
    """A page token that was not made for this list, these filters and this caller."""

    def __init__(self) -> None:
        super().__init__(
            "page_token does not belong to this list with these filters. Start at the first page."
        )


class TooManyRequests(EnvctlError):
    """A caller makes more requests than the instance takes from one."""

    def __init__(self, per_minute: int, retry_after: timedelta) -> None:
        self.retry_after = retry_after
        super().__init__(
            f"So many requests in so short a time: a caller may make {per_minute} a minute. Wait as long as "
            "Retry-After says."
        )


class Contended(EnvctlError):
    """So many others changed the object that this change found no gap."""

    def __init__(self, document: str) -> None:
        self.retry_after = timedelta(seconds=1)
        super().__init__(f"{document} is being changed by many others at the moment. Try again shortly.")


# What makes a request unusable ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with the input: where, and what."""

    where: str
    """A JSON pointer into the body (`/ttl_hours`), or the name of a parameter."""
    detail: str
    in_body: bool = True


class InvalidInput(EnvctlError):
    """The request is well-formed, but its content is not acceptable."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        first = faults[0]
        place = first.where or "the body" if first.in_body else f"parameter {first.where}"
        more = f" ({len(faults) - 1} more)" if len(faults) > 1 else ""
        super().__init__(f"Invalid input at {place}: {first.detail}{more}.")


class KeyReused(InvalidInput):
    """An idempotency key that came with another request before."""

    def __init__(self) -> None:
        detail = "was sent with another request before: repeat that one as it was, or choose another key"
        super().__init__([Fault("Idempotency-Key", detail, in_body=False)])


class Internal(EnvctlError):
    """Something that should not happen did. What, stands in the log under the request id."""

    def __init__(self) -> None:
        super().__init__("Something went wrong on our side. Report the request_id if it persists.")
