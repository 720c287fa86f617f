"""What the auth function does with API tokens."""

from collections.abc import Callable
from datetime import datetime, timedelta

from functions.auth.schemas import NewApiToken
from shared import account_documents, api_tokens, documents, ids, project_documents, secret_tokens
from shared.access import Caller, visible_project
from shared.account_errors import TooManyApiTokens
from shared.auditing import unaudited
from shared.changing import until_committed
from shared.domain.api_token import ApiToken
from shared.domain.user import make_api_token
from shared.errors import Fault, InvalidInput, NotFound, Unauthenticated
from shared.ports import Create, Cursor, Delete, Document, Filter, Order, Page, Query, Ref, Update
from shared.reading import Fetched, fetch
from shared.runtime import Runtime

_NEWEST_FIRST = Order("created_at", descending=True)

MOST_API_TOKENS = 100
"""Of an account, which are shown on one page: a list that nobody can look through guards nothing."""

Matching = Callable[[ApiToken], None]
"""Raises PreconditionFailed for what is not as the client believes."""


def create_token(runtime: Runtime, caller: Caller, new: NewApiToken) -> tuple[ApiToken, str]:
    """A new API token of the caller's, and its text, which is stored nowhere.

    Raises InvalidInput for a project that the caller doesn't see, TooManyApiTokens, and Unauthenticated when
    the account is gone. The account's document changes too: it fences, so that no token outlives its account.
    """
    token_id, text = api_tokens.issue(caller.user_id)
    token = _token(token_id, text, caller, new, runtime.clock())
    ref, account = documents.api_token_ref(token_id), documents.user_ref(ids.email_key_of(caller.user_id))
    refs = [account, *_project_refs(new)]

    def attempt() -> None:
        fetched = fetch(runtime, refs, caller)
        if ref in fetched.documents:  # an attempt got through although it reported a conflict
            return
        refs.append(ref)
        user = _account(fetched, account, caller)
        made = account_documents.user_data(make_api_token(account_documents.user(user.data)))
        _require_visible(fetched, caller, new)
        data = api_tokens.data_of(token)
        room = _make_room(runtime, caller)
        runtime.store.commit(Create(ref, data), Update(account, made, user.version), *room)

    until_committed("This account", attempt)
    return token, text


def _token(token_id: str, text: str, caller: Caller, new: NewApiToken, now: datetime) -> ApiToken:
    return ApiToken(
        id=token_id,
        user_id=caller.user_id,
        name=new.name,
        scopes=new.scopes,
        project_id=new.project_id,
        token_hash=secret_tokens.hash_of(text),
        created_at=now,
        expires_at=now + timedelta(days=new.expires_in_days),
    )


def _make_room(runtime: Runtime, caller: Caller) -> list[Delete]:
    """What has to go so that there is room for another one: nothing, or what has expired.

    Exact, because whoever makes one at the same time loses the race for the account's document.
    Raises TooManyApiTokens.
    """
    there = runtime.store.find(_of(caller.user_id, MOST_API_TOKENS)).documents
    if len(there) < MOST_API_TOKENS:
        return []
    now = runtime.clock()
    expired = [one for one in there if api_tokens.token_of(one.data).expires_at <= now]
    if not expired:
        raise TooManyApiTokens(MOST_API_TOKENS)
    return [Delete(one.ref, one.version) for one in expired]


def _account(fetched: Fetched, ref: Ref, caller: Caller) -> Document:
    document = fetched.documents.get(ref)
    if document is None or document.data["id"] != caller.user_id:
        raise Unauthenticated("The account of this access token does not exist any more.")
    return document


def _project_refs(new: NewApiToken) -> list[Ref]:
    named = [] if new.project_id is None else [new.project_id]
    return [documents.project_ref(project_id) for project_id in named if ids.is_id("prj", project_id)]


def _require_visible(fetched: Fetched, caller: Caller, new: NewApiToken) -> None:
    if new.project_id is None:
        return
    document = fetched.documents.get(documents.project_ref(new.project_id))
    project = None if document is None else project_documents.project(document.data)
    try:
        visible_project(project, caller, "project", new.project_id)
    except NotFound as missing:
        raise InvalidInput([Fault("/project_id", "names no project that you are a member of")]) from missing


def list_tokens(runtime: Runtime, caller: Caller, limit: int, after: Cursor | None) -> Page:
    """A page of the caller's API tokens, newest first, expired ones too."""
    return runtime.store.find(_of(caller.user_id, limit, after))


def read_token(runtime: Runtime, caller: Caller, token_id: str) -> ApiToken:
    """An API token of the caller's. Raises NotFound."""
    return api_tokens.token_of(_read(runtime, caller, token_id).data)


def delete_token(runtime: Runtime, caller: Caller, token_id: str, matching: Matching) -> None:
    """An API token's end, for every request that comes from now on. Raises NotFound, PreconditionFailed."""

    def attempt() -> None:
        document = _read(runtime, caller, token_id)
        matching(api_tokens.token_of(document.data))
        runtime.store.commit(Delete(document.ref, document.version))

    until_committed(f"API token {token_id}", attempt)


def delete_all_tokens(runtime: Runtime, user_id: str) -> None:
    """The end of every API token of an account: those that were made before the account was read last.

    Without an event: the account's end has one.
    """

    def attempt() -> bool:
        page = runtime.store.find(_of(user_id, limit=100))
        if page.documents:
            unaudited(runtime.store).commit(
                *(Delete(document.ref, document.version) for document in page.documents)
            )
        return page.next is None

    while not until_committed("This account", attempt):
        pass


def _read(runtime: Runtime, caller: Caller, token_id: str) -> Document:
    if ids.is_id("tok", token_id) and ids.user_of(token_id) == caller.user_id:
        ref = documents.api_token_ref(token_id)
        found = fetch(runtime, [ref], caller).documents.get(ref)
        if found is not None:
            return found
    raise NotFound("API token", token_id)


def _of(user_id: str, limit: int, after: Cursor | None = None) -> Query:
    return Query("api_tokens", (Filter("user_id", "==", user_id),), _NEWEST_FIRST, limit, after)
