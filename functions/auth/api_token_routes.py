"""Routes of API tokens. They are the account's own business: each takes a login."""

from typing import Any

from functions.auth import api_tokens
from functions.auth.routes import group
from functions.auth.schemas import ApiTokenView, NewApiToken, NewApiTokenView
from shared.account_errors import TooManyApiTokens
from shared.api_tokens import token_of
from shared.domain.api_token import ApiToken
from shared.errors import BadPageToken
from shared.http import pages
from shared.http.answers import represent
from shared.http.routes import Answer, Call, Representation
from shared.http.types import PageParameters


def _shown(token: ApiToken) -> dict[str, Any]:
    return {name: getattr(token, name) for name in ApiTokenView.model_fields if name != "etag"}


def _view(token: ApiToken) -> Representation:
    return represent(ApiTokenView, **_shown(token))


@group.route("POST", "/auth/tokens", {201: NewApiTokenView}, refusals=(TooManyApiTokens,))
def create_api_token(call: Call, body: NewApiToken) -> Answer:
    """Create an API token for CI.

    `token` is shown this once: only its hash is kept. Send it as `Authorization: Bearer <token>`. It acts
    for you, within its scopes, and never beyond your own role in a project. An account has at most 100; of
    those the expired ones make room for new ones.
    """
    token, text = api_tokens.create_token(call.runtime, call.caller, body)
    view = NewApiTokenView(token=text, **_shown(token))
    headers = {"Location": f"/api/v1/auth/tokens/{token.id}", "Cache-Control": "no-store"}
    return Answer(201, view, headers)


@group.route("GET", "/auth/tokens", {200: list[ApiTokenView]}, refusals=(BadPageToken,))
def list_api_tokens(call: Call, query: PageParameters) -> Answer:
    """List your API tokens, newest first.

    Without what was shown once. Expired ones are there until they are deleted.
    """
    page = api_tokens.list_tokens(call.runtime, call.caller, query.page_size, pages.start(call, query))
    views = [_view(token_of(document.data)) for document in page.documents]
    return pages.page(call, views, page.next)


@group.route("GET", "/auth/tokens/{token_id}", {200: ApiTokenView})
def get_api_token(call: Call, token_id: str) -> Answer:
    """Show an API token of yours, without what was shown once."""
    return Answer(200, _view(api_tokens.read_token(call.runtime, call.caller, token_id)))


@group.route("DELETE", "/auth/tokens/{token_id}", {204: None}, conditional=True)
def delete_api_token(call: Call, token_id: str) -> Answer:
    """Delete an API token. It is worth nothing from then on."""
    api_tokens.delete_token(
        call.runtime, call.caller, token_id, lambda token: call.require_match(lambda: _view(token))
    )
    return Answer(204)
