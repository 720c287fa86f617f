"""API tokens as requests present them.

    envctl_<the owner's and the token's part of its id><secret><checksum>

The text says whose it is and which document knows it, so that no request needs a call of its own to find
out: the document comes with whatever the request reads first (`shared.reading.fetch`), and until then
nothing that the text says is believed. What is no such text is refused without asking the store.
"""

from dataclasses import dataclass
from datetime import datetime

from shared import documents, ids, log, secret_tokens
from shared.domain.api_token import ApiToken, use
from shared.domain.roles import Permission
from shared.errors import Conflict, Unauthenticated, Unavailable
from shared.ports import Data, Document, Ref, Update
from shared.runtime import Runtime
from shared.times import from_text, to_text

PREFIX = "envctl_"

_INVALID = "The API token is not valid."
_NOBODYS = "0" * 64
"""What a token is held against that no document knows."""


@dataclass(slots=True)
class Credential:
    """An API token that a request carries, and what has been found out about it."""

    token: str
    ref: Ref
    document: Document | None = None
    """The one that knows it, as it was last read."""
    proven: ApiToken | None = None
    """None until the document has been read."""


def issue(user_id: str) -> tuple[str, str]:
    """A new token's id, and the token itself: shown once, never stored."""
    token_id = ids.new_api_token_id(user_id)
    return token_id, secret_tokens.new_token(PREFIX, token_id[4:])


def presented(token: str) -> Credential:
    """The credential in the text of a token. Raises Unauthenticated for what can't be one."""
    name = secret_tokens.name_in(PREFIX, token)
    if name is None or not ids.is_id("tok", token_id := f"tok-{name}"):
        raise Unauthenticated(_INVALID)
    return Credential(token, documents.api_token_ref(token_id))


def data_of(token: ApiToken) -> Data:
    """An API token as a document."""
    return {
        "id": token.id,
        "user_id": token.user_id,
        "name": token.name,
        "scopes": [str(scope) for scope in token.scopes],
        "project_id": token.project_id,
        "token_hash": token.token_hash,
        "created_at": to_text(token.created_at),
        "expires_at": to_text(token.expires_at),
        "last_used_at": None if token.last_used_at is None else to_text(token.last_used_at),
    }


def token_of(data: Data) -> ApiToken:
    """The API token of a document."""
    last_used_at = data["last_used_at"]
    return ApiToken(
        id=data["id"],
        user_id=data["user_id"],
        name=data["name"],
        scopes=tuple(map(Permission, data["scopes"])),
        project_id=data["project_id"],
        token_hash=data["token_hash"],
        created_at=from_text(data["created_at"]),
        expires_at=from_text(data["expires_at"]),
        last_used_at=None if last_used_at is None else from_text(last_used_at),
    )


def prove(credential: Credential, document: Document | None, now: datetime) -> None:
    """Hold a credential against the document that should know it. Raises Unauthenticated.

    Only who holds the whole token is told that it has expired. Else the same is said, after the same work.
    """
    credential.proven = None
    token_hash = _NOBODYS if document is None else document.data["token_hash"]
    is_known = secret_tokens.is_hash_of(token_hash, credential.token)
    if document is None or not is_known:
        raise Unauthenticated(_INVALID)
    found = token_of(document.data)
    if now >= found.expires_at:
        raise Unauthenticated("The API token has expired.")
    credential.document, credential.proven = document, found


def note_use(runtime: Runtime, credential: Credential) -> None:
    """Write down that the token was used, if that was not done within the hour.

    Best effort: a token that is being deleted stays deleted, and what can't be written is left.
    """
    document, found = credential.document, credential.proven
    if document is None or found is None:
        return
    used = use(found, runtime.clock())
    if used is found:
        return
    try:
        runtime.store.commit(Update(document.ref, data_of(used), document.version))
    except (Conflict, Unavailable) as fault:
        log.write("INFO", "a token's last use is not noted", token_id=found.id, fault=str(fault))
