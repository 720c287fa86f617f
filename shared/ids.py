"""Ids: random, opaque to clients, and made so that the server finds a thing's parents in it.

    prj-<p>   env-<p><e>   dep-<p><e><d>       each part 80 random bits in base 32
    usr-<k><u>   ses-<k><u><s>   tok-<k><u><t>   <k> is the e-mail key, two parts long
    evt-<e>

So one `get_many` reads an object together with everything that decides who may see it.
"""

import base64
import re
import secrets

_PART = 16
_SHAPES = {"prj": 1, "env": 2, "dep": 3, "usr": 3, "ses": 4, "tok": 4, "evt": 1}
KINDS = frozenset(_SHAPES)
_PATTERNS = {
    kind: re.compile(f"{kind}-[a-z2-7]{{{parts * _PART}}}", re.ASCII) for kind, parts in _SHAPES.items()
}


def new_part() -> str:
    """80 random bits as 16 characters of [a-z2-7]."""
    return base64.b32encode(secrets.token_bytes(10)).decode().lower()


def new_project_id(part: str | None = None) -> str:
    """An id for a project. Its own part is random unless it is given, here as below."""
    return "prj-" + (part or new_part())


def new_environment_id(project_id: str, part: str | None = None) -> str:
    """An id for an environment of a project."""
    return "env-" + project_id[4:] + (part or new_part())


def new_deployment_id(environment_id: str, part: str | None = None) -> str:
    """An id for a deployment to an environment."""
    return "dep-" + environment_id[4:] + (part or new_part())


def new_session_id(user_id: str) -> str:
    """An id for a session of a user."""
    return "ses-" + user_id[4:] + new_part()


def new_api_token_id(user_id: str) -> str:
    """An id for an API token of a user."""
    return "tok-" + user_id[4:] + new_part()


def new_event_id() -> str:
    """An id for an event."""
    return "evt-" + new_part()


def is_id(kind: str, text: str) -> bool:
    """Whether the text is an id of this kind (see above). Anything else names nothing."""
    return _PATTERNS[kind].fullmatch(text) is not None


def is_any(text: str) -> bool:
    """Whether the text is an id of any kind."""
    kind = text[:3]
    return kind in KINDS and is_id(kind, text)


def project_of(object_id: str) -> str:
    """The id of the project that an environment or a deployment belongs to."""
    return "prj-" + object_id[4 : 4 + _PART]


def environment_of(deployment_id: str) -> str:
    """The id of the environment that a deployment goes to."""
    return "env-" + deployment_id[4 : 4 + 2 * _PART]


def user_of(object_id: str) -> str:
    """The id of the user whose session or API token it is."""
    return "usr-" + object_id[4 : 4 + 3 * _PART]


def email_key_of(object_id: str) -> str:
    """The e-mail key in the id of a user, session or API token: there the account's document lies."""
    return object_id[4 : 4 + 2 * _PART]
