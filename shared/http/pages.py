"""Lists: page tokens that are bound to their list, and the Link to the next page (RFC 8288)."""

import base64
import binascii
import hmac
import json
from collections.abc import Sequence
from urllib.parse import urlencode

from shared.errors import BadPageToken
from shared.http.routes import Answer, Call, Representation
from shared.http.types import PageParameters, View
from shared.keys import Keys
from shared.ports import Cursor

_SEAL_BYTES = 16


def _binding(call: Call) -> str:
    """What a token is good for: this caller's walk through this list with these filters."""
    filters = {
        name: value for name, value in call.parameters.items() if name not in {"page_token", "page_size"}
    }
    return json.dumps([call.caller.user_id, call.path.rstrip("/"), sorted(filters.items())])


def _seal(keys: Keys, binding: str, cursor: bytes) -> bytes:
    return keys.seal("page", binding.encode() + b"\0" + cursor)


def _text(token: bytes) -> str:
    return base64.urlsafe_b64encode(token).decode().rstrip("=")


def start(call: Call, query: PageParameters) -> Cursor | None:
    """Where the page starts: None is the beginning. Raises BadPageToken."""
    if query.page_token is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(query.page_token.encode("ascii") + b"==")
        seal, cursor = raw[:_SEAL_BYTES], raw[_SEAL_BYTES:]
        expected = _seal(call.runtime.keys, _binding(call), cursor)
        # Decoding passes over what is no base 64: a token has one spelling only.
        if _text(raw) != query.page_token or not hmac.compare_digest(seal, expected):
            raise BadPageToken
        return tuple(json.loads(cursor))
    except (UnicodeEncodeError, binascii.Error, ValueError) as fault:
        raise BadPageToken from fault


def page(call: Call, items: Sequence[View | Representation], following: Cursor | None) -> Answer:
    """The page, with a link to the next one if there is more."""
    if following is None:
        return Answer(200, items)
    cursor = json.dumps(following, separators=(",", ":")).encode()
    seal = _seal(call.runtime.keys, _binding(call), cursor)
    query = urlencode({**call.parameters, "page_token": _text(seal + cursor)})
    return Answer(200, items, {"Link": f'<{call.path}?{query}>; rel="next"'})
