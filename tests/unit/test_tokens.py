"""Access tokens: what is issued is accepted, and every other thing that looks like one is refused."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared import tokens
from shared.errors import Unauthenticated
from shared.keys import Keys

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
KEY = b"k" * 32
KEYS = Keys({"k1": KEY}, b"i" * 32)
HEADER = {"alg": "HS256", "typ": "at+jwt", "kid": "k1"}
AT = int(NOW.timestamp())
CLAIMS = {"iss": "envctl", "aud": "envctl-api", "sub": "usr-1", "jti": "t", "iat": AT, "exp": AT + 3_600}


def _part(value: Any) -> str:  # noqa: ANN401 - any JSON value
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _signed(header: Any, claims: Any, key: bytes = KEY, algorithm: str = "sha256") -> str:  # noqa: ANN401 - likewise
    signed = f"{_part(header)}.{_part(claims)}"
    return f"{signed}.{_part(hmac.digest(key, signed.encode(), algorithm))}"


def _with_header(**fields: Any) -> str:  # noqa: ANN401 - likewise
    return _signed({**HEADER, **fields}, CLAIMS)


def _with_claims(**fields: Any) -> str:  # noqa: ANN401 - likewise
    return _signed(HEADER, {**CLAIMS, **fields})


def _without(fields: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key != name}


NO_TIMES: tuple[Any, ...] = (AT + 0.5, f"{AT + 5}", True, [AT + 5], {}, float("inf"), float("nan"))
GOOD = _signed(HEADER, CLAIMS)
HEAD, BODY, SIGNATURE = GOOD.split(".")
FORGED = {
    "empty": "",
    "no token": "x",
    "dots": "..",
    "one part": HEAD,
    "four parts": f"{GOOD}.x",
    "no signature": f"{HEAD}.{BODY}.",
    "no signature's dot": f"{HEAD}.{BODY}",
    "a cut signature": GOOD[:-1],
    "another signature": f"{HEAD}.{BODY}.{_part(b'x' * 32)}",
    "another body": f"{HEAD}.{_part({**CLAIMS, 'sub': 'usr-2'})}.{SIGNATURE}",
    "alg none": f"{_part({**HEADER, 'alg': 'none'})}.{BODY}.",
    "alg None": f"{_part({**HEADER, 'alg': 'None'})}.{BODY}.",
    "alg none, signed": _with_header(alg="none"),
    "alg HS384": _signed({**HEADER, "alg": "HS384"}, CLAIMS, KEY, "sha384"),
    "alg HS512": _signed({**HEADER, "alg": "HS512"}, CLAIMS, KEY, "sha512"),
    "alg RS256": _with_header(alg="RS256"),
    "alg a list": _with_header(alg=["HS256"]),
    "alg missing": _signed(_without(HEADER, "alg"), CLAIMS),
    "another key": _signed(HEADER, CLAIMS, b"x" * 32),
    "an empty key": _signed(HEADER, CLAIMS, b""),
    "the identity key": _signed(HEADER, CLAIMS, KEYS.identity),
    "another kid": _with_header(kid="k2"),
    "kid null": _with_header(kid=None),
    "kid a path": _with_header(kid="../../dev/null"),
    "kid a list": _with_header(kid=["k1"]),
    "kid an object": _with_header(kid={}),
    "kid missing": _signed(_without(HEADER, "kid"), CLAIMS),
    "typ JWT": _with_header(typ="JWT"),
    "typ missing": _signed(_without(HEADER, "typ"), CLAIMS),
    "typ null": _with_header(typ=None),
    **{f"header {name}": _with_header(**{name: value}) for name, value in (
        ("jku", "https://evil.example.com/keys"), ("x5u", "https://evil.example.com/cert"),
        ("crit", ["exp"]),
        ("jwk", {"kty": "oct", "k": _part(KEY)}), ("x5c", ["x"]), ("cty", "JWT"), ("b64", False),
        ("zip", "DEF"),
    )},
    "header a list": _signed([], CLAIMS),
    "header null": _signed(None, CLAIMS),
    "header no JSON": _signed(b"{", CLAIMS),
    "header nested without end": _signed(b"[" * 100_000, CLAIMS),
    "header nested, closed": _signed(b'{"a":' * 5_000 + b"1" + b"}" * 5_000, CLAIMS),
    "header not UTF-8": _signed(b"\xff", CLAIMS),
    "claims a list": _signed(HEADER, []),
    "claims a text": _signed(HEADER, "x"),
    "claims null": _signed(HEADER, None),
    "claims no JSON": _signed(HEADER, b"{"),
    "claims nested without end": _signed(HEADER, b"[" * 100_000),
    "a token in a token": _signed(HEADER, GOOD.encode()),
    "not base 64": f"{HEAD}.{BODY}.!!!",
    "not ASCII": f"{GOOD}é",
    "a surrogate": f"{GOOD}\ud800",
    "NUL": f"{GOOD}\x00",
    "two tokens": f"{GOOD} {GOOD}",
    "two with a comma": f"{GOOD},{GOOD}",
    "huge": "a" * 1_000_000,
    "huge, with dots": ".".join(["a" * 300_000] * 3),
    **{f"{name} missing": _signed(HEADER, _without(CLAIMS, name)) for name in CLAIMS},
    **{f"{name} null": _with_claims(**{name: None}) for name in CLAIMS},
    "iss another": _with_claims(iss="other"),
    "iss in capitals": _with_claims(iss="ENVCTL"),
    "aud another": _with_claims(aud="other"),
    "aud longer": _with_claims(aud="envctl-api-2"),
    "aud empty": _with_claims(aud=[]),
    "sub a number": _with_claims(sub=1),
    "sub a list": _with_claims(sub=["usr-1"]),
    "jti a number": _with_claims(jti=1),
    "expired": _with_claims(exp=AT),
    "expired long ago": _with_claims(exp=0),
    "exp negative": _with_claims(exp=-1),
    **{f"{name} {value!r}": _with_claims(**{name: value})
       for name in ("exp", "iat") for value in NO_TIMES},
    "iat in the future": _with_claims(iat=AT + 61, exp=AT + 7_200),
    "iat far in the future": _with_claims(iat=10**20, exp=10**20 + 1),
}  # fmt: skip


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED.keys())
def test_a_forged_token_is_refused_every_time(token: str) -> None:
    for _ in range(2):
        with pytest.raises(Unauthenticated) as refused:
            tokens.verify(KEYS, token, NOW)
    assert str(refused.value).startswith(("The access token is not valid.", "The access token has expired."))


def test_the_same_token_unspoilt_is_accepted() -> None:
    """Otherwise the test above would prove nothing."""
    assert tokens.verify(KEYS, GOOD, NOW) == "usr-1"


def test_what_is_issued_is_accepted_until_it_expires() -> None:
    token = tokens.issue(KEYS, "usr-1", "t", NOW, HOUR)
    assert tokens.verify(KEYS, token, NOW) == "usr-1"
    assert tokens.verify(KEYS, token, NOW + HOUR - timedelta(microseconds=1)) == "usr-1"
    for late in (HOUR, 2 * HOUR, timedelta(days=3_650)):
        with pytest.raises(Unauthenticated, match="has expired"):
            tokens.verify(KEYS, token, NOW + late)


def test_a_clock_may_be_a_minute_behind_the_issuers() -> None:
    token = tokens.issue(KEYS, "usr-1", "t", NOW, HOUR)
    assert tokens.verify(KEYS, token, NOW - timedelta(seconds=60)) == "usr-1"
    with pytest.raises(Unauthenticated):
        tokens.verify(KEYS, token, NOW - timedelta(seconds=61))


Make = Callable[[Keys], str]


def test_while_keys_rotate_both_are_valid_and_the_first_one_signs() -> None:
    before, after = b"b" * 32, b"a" * 32
    old, both, new = (
        Keys(signing, b"i" * 32)
        for signing in ({"old": before}, {"new": after, "old": before}, {"new": after})
    )
    make: Make = lambda keys: tokens.issue(keys, "usr-1", "t", NOW, HOUR)  # noqa: E731 - three times below
    assert [tokens.verify(both, make(keys), NOW) for keys in (old, both, new)] == ["usr-1"] * 3
    assert tokens.verify(new, make(both), NOW) == "usr-1"
    for keys, token in ((new, make(old)), (old, make(both)), (old, make(new))):
        with pytest.raises(Unauthenticated):
            tokens.verify(keys, token, NOW)


def test_two_keys_with_each_others_names_are_not_exchanged() -> None:
    keys = Keys({"k1": KEY, "k2": b"2" * 32}, b"i" * 32)
    with pytest.raises(Unauthenticated):
        tokens.verify(keys, _signed({**HEADER, "kid": "k2"}, CLAIMS), NOW)
    assert tokens.verify(keys, _signed({**HEADER, "kid": "k2"}, CLAIMS, b"2" * 32), NOW) == "usr-1"


def test_the_algorithm_is_what_it_says() -> None:
    assert hmac.compare_digest(
        _part(hmac.new(KEY, f"{HEAD}.{BODY}".encode(), hashlib.sha256).digest()), SIGNATURE
    )
