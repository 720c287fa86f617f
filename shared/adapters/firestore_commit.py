"""Commits to Firestore, and what is made of one that nobody answered.

commit ── answered ────────────────────────────────────────────> returns, or raises
  ^  └── not answered: the documents are read
  │           ├ all of them are as they were to be ────────────> returns: it had got through
  └───────────┼ every precondition still holds: nothing was written, or it is under way still
              └ somebody else's write is in the way ───────────> Conflict, AlreadyExists

Committing again is safe: of two that are under way, one meets its own precondition failed.
"""

from collections.abc import Callable, Sequence

from google.api_core import exceptions
from google.cloud.firestore_v1 import types

from shared.adapters.firestore_connection import Connection, Patience, Refused, Unanswered
from shared.adapters.firestore_values import Message, from_version, name, to_document_fields, to_fields
from shared.errors import AlreadyExists, Conflict
from shared.ports import Create, Delete, Document, Ref, Update, Write

Read = Callable[[Sequence[Ref], Patience], list[Document | None]]

_Request = types.CommitRequest.pb()
_Write = types.Write.pb()
_Document = types.Document.pb()
_Precondition = types.Precondition.pb()


def commit(connection: Connection, read: Read, writes: Sequence[Write]) -> None:
    """Carry out every write, or none. See the port."""
    patience = Patience()
    refs = [write.ref for write in writes]
    if not all(isinstance(write, Create) or from_version(write.if_version) for write in writes):
        raise _refusal(writes, read(refs, patience))
    messages = [_to_message(write, connection.database) for write in writes]
    request = types.CommitRequest.wrap(_Request(database=connection.database, writes=messages))
    may_be_done = False
    while True:
        try:
            return connection.commit(request, patience)
        except Refused as refused:
            if not may_be_done:
                raise _reported(writes, refused, read, patience) from refused.__cause__
            fault: Exception = refused
        except Unanswered as unanswered:
            may_be_done, fault = True, unanswered
        found = read(refs, patience)
        if all(map(_is_done, writes, found)):
            return None
        if not all(map(_holds, writes, found)):
            raise _refusal(writes, found) from fault.__cause__
        patience.pause(fault)


def _reported(
    writes: Sequence[Write], refused: Refused, read: Read, patience: Patience
) -> AlreadyExists | Conflict | ValueError:
    """What a refusal is to the caller. Which of several writes it was, the server doesn't say reliably."""
    cause = refused.__cause__
    if len(writes) > 1 or isinstance(cause, exceptions.InvalidArgument):
        found = read([write.ref for write in writes], patience)
        if not all(map(_holds, writes, found)):
            return _refusal(writes, found)
        # Whoever was in the way has gone, too many wrote at once, or the data can't be held.
        if isinstance(cause, exceptions.InvalidArgument):
            return ValueError(cause.message)
    return (AlreadyExists if isinstance(cause, exceptions.AlreadyExists) else Conflict)(_key(writes[0].ref))


def _refusal(writes: Sequence[Write], found: Sequence[Document | None]) -> AlreadyExists | Conflict:
    """The first write whose precondition fails: there is one."""
    failed = next(write for write, document in zip(writes, found, strict=True) if not _holds(write, document))
    return (AlreadyExists if isinstance(failed, Create) else Conflict)(_key(failed.ref))


def _holds(write: Write, document: Document | None) -> bool:
    """Whether the write's precondition holds."""
    if isinstance(write, Create):
        return document is None
    return document is not None and document.version == write.if_version


def _is_done(write: Write, document: Document | None) -> bool:
    """Whether the document is as the write was to leave it: also where it was so before.

    Compared as Firestore's messages, which tell true from 1.
    """
    if isinstance(write, Delete):
        return document is None
    return document is not None and to_fields(document.data) == to_fields(write.data)


def _to_message(write: Write, database: str) -> Message:
    """The write, with its precondition. An update has no mask: it replaces the document."""
    full = name(database, write.ref)
    match write:
        case Create(_, data):
            absent = _Precondition(exists=False)
            return _Write(
                update=_Document(name=full, fields=to_document_fields(data)), current_document=absent
            )
        case Update(_, data, if_version):
            unchanged = _Precondition(update_time=from_version(if_version))
            return _Write(
                update=_Document(name=full, fields=to_document_fields(data)), current_document=unchanged
            )
        case Delete(_, if_version):
            unchanged = _Precondition(update_time=from_version(if_version))
            return _Write(delete=full, current_document=unchanged)


def _key(ref: Ref) -> str:
    return f"{ref.collection}/{ref.id}"
