"""Tokens that look like access tokens, by the rule that each breaks. RFC 8725 has most of the rules."""

import base64
import hmac
import json
from datetime import UTC, datetime
from typing import Any

from shared.secret_tokens import make_token

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
KEY = b"k" * 32
IDENTITY = b"i" * 32
HEADER = {"alg": "HS256", "typ": "at+jwt", "kid": "k1"}
AT = int(NOW.timestamp())
CLAIMS = {"iss": "envctl", "aud": "envctl-api", "sub": "usr-1", "jti": "t", "iat": AT, "exp": AT + 3_600}


def part(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """A part of a token: JSON, or bytes as they are."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def signed(header: Any, claims: Any, key: bytes = KEY, algorithm: str = "sha256") -> str:  # noqa: ANN401 - likewise
    """A token with a signature by the key."""
    text = f"{part(header)}.{part(claims)}"
    return f"{text}.{part(hmac.digest(key, text.encode(), algorithm))}"


def _with_header(**fields: Any) -> str:  # noqa: ANN401 - likewise
    return signed({**HEADER, **fields}, CLAIMS)


def _with_claims(**fields: Any) -> str:  # noqa: ANN401 - likewise
    return signed(HEADER, {**CLAIMS, **fields})


def _without(fields: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key != name}


NO_TIMES: tuple[Any, ...] = (AT + 0.5, f"{AT + 5}", True, [AT + 5], {}, float("inf"), float("nan"))
GOOD = signed(HEADER, CLAIMS)
HEAD, BODY, SIGNATURE = GOOD.split(".")
BY_RULE: dict[str, dict[str, str]] = {
    "a token has three parts of base 64, and nothing else": {
        "empty": "",
        "no token": "x",
        "dots": "..",
        "one part": HEAD,
        "no signature's dot": f"{HEAD}.{BODY}",
        "four parts": f"{GOOD}.x",
        "not base 64": f"{HEAD}.{BODY}.!!!",
        "base 64 of the other kind": GOOD.replace("-", "+").replace("_", "/") + "+",
        "padded": f"{GOOD}=",
        "other bits left over": GOOD[:-1] + chr(ord(GOOD[-1]) + 1),
        "a line break": f"{HEAD}.{BODY}.\n{SIGNATURE}",
        "not ASCII": f"{GOOD}é",
        "a surrogate": f"{GOOD}\ud800",
        "NUL": f"{GOOD}\x00",
        "two tokens": f"{GOOD} {GOOD}",
        "two with a comma": f"{GOOD},{GOOD}",
        "a token in a token": signed(HEADER, GOOD.encode()),
        "of five parts, encrypted": ".".join([part({"alg": "dir", "enc": "A128GCM"}), "", "x", "x", "x"]),
        "huge": "a" * 1_000_000,
        "huge, with dots": ".".join(["a" * 300_000] * 3),
        "a refresh token": make_token("envctl_r_", "a" * 64, bytes(32)),
        "an API token": make_token("envctl_", "a" * 64, bytes(32)),
    },
    "the signature is of exactly this text": {
        "no signature": f"{HEAD}.{BODY}.",
        "a cut signature": GOOD[:-1],
        "a signature of zeros": f"{HEAD}.{BODY}.{part(bytes(32))}",
        "another signature": f"{HEAD}.{BODY}.{part(b'x' * 32)}",
        "another body": f"{HEAD}.{part({**CLAIMS, 'sub': 'usr-2'})}.{SIGNATURE}",
        "another header": f"{part({**HEADER, 'kid': 'k2'})}.{BODY}.{SIGNATURE}",
        "a signature of the body alone": f"{HEAD}.{BODY}.{part(hmac.digest(KEY, BODY.encode(), 'sha256'))}",
    },
    "one algorithm, whatever the token says (RFC 8725, 3.1)": {
        "alg none": f"{part({**HEADER, 'alg': 'none'})}.{BODY}.",
        "alg None": f"{part({**HEADER, 'alg': 'None'})}.{BODY}.",
        "alg nOnE": f"{part({**HEADER, 'alg': 'nOnE'})}.{BODY}.",
        "alg none, signed": _with_header(alg="none"),
        "alg in small letters": _with_header(alg="hs256"),
        "alg HS384": signed({**HEADER, "alg": "HS384"}, CLAIMS, KEY, "sha384"),
        "alg HS512": signed({**HEADER, "alg": "HS512"}, CLAIMS, KEY, "sha512"),
        "alg RS256": _with_header(alg="RS256"),
        "alg ES256": _with_header(alg="ES256"),
        "alg a list": _with_header(alg=["HS256"]),
        "alg missing": signed(_without(HEADER, "alg"), CLAIMS),
    },
    "the key is ours, found by kid in our own map (3.10)": {
        "another key": signed(HEADER, CLAIMS, b"x" * 32),
        "an empty key": signed(HEADER, CLAIMS, b""),
        "the key's name as the key": signed(HEADER, CLAIMS, b"k1"),
        "the identity key": signed(HEADER, CLAIMS, IDENTITY),
        "another kid": _with_header(kid="k2"),
        "kid null": _with_header(kid=None),
        "kid empty": _with_header(kid=""),
        "kid a path": _with_header(kid="../../dev/null"),
        "kid a list": _with_header(kid=["k1"]),
        "kid an object": _with_header(kid={}),
        "kid missing": signed(_without(HEADER, "kid"), CLAIMS),
    },
    "the type is that of access tokens (3.11)": {
        "typ JWT": _with_header(typ="JWT"),
        "typ in capitals": _with_header(typ="AT+JWT"),
        "typ missing": signed(_without(HEADER, "typ"), CLAIMS),
        "typ null": _with_header(typ=None),
        "typ a list": _with_header(typ=["at+jwt"]),
    },
    "no header that would have us fetch or understand something (3.10)": {
        f"header {name}": _with_header(**{name: value}) for name, value in (
            ("jku", "https://evil.example.com/keys"), ("x5u", "https://evil.example.com/cert"),
            ("crit", ["exp"]), ("jwk", {"kty": "oct", "k": part(KEY)}), ("x5c", ["x"]), ("x5t", "x"),
            ("cty", "JWT"), ("b64", False), ("zip", "DEF"), ("unknown", 1),
        )
    },
    "the header is an object": {
        "header a list": signed([], CLAIMS),
        "header null": signed(None, CLAIMS),
        "header no JSON": signed(b"{", CLAIMS),
        "header nested without end": signed(b"[" * 100_000, CLAIMS),
        "header nested, closed": signed(b'{"a":' * 5_000 + b"1" + b"}" * 5_000, CLAIMS),
        "header not UTF-8": signed(b"\xff", CLAIMS),
    },
    "the claims are an object": {
        "claims a list": signed(HEADER, []),
        "claims a text": signed(HEADER, "x"),
        "claims null": signed(HEADER, None),
        "claims no JSON": signed(HEADER, b"{"),
        "claims nested without end": signed(HEADER, b"[" * 100_000),
    },
    "every claim is there": {
        **{f"{name} missing": signed(HEADER, _without(CLAIMS, name)) for name in CLAIMS},
        **{f"{name} null": _with_claims(**{name: None}) for name in CLAIMS},
    },
    "issued by us (3.8)": {
        "iss another": _with_claims(iss="other"),
        "iss in capitals": _with_claims(iss="ENVCTL"),
        "iss of Google": _with_claims(iss="https://accounts.google.com"),
    },
    "for us (3.9)": {
        "aud another": _with_claims(aud="other"),
        "aud longer": _with_claims(aud="envctl-api-2"),
        "aud empty": _with_claims(aud=[]),
    },
    "who and which are texts": {
        "sub a number": _with_claims(sub=1),
        "sub a list": _with_claims(sub=["usr-1"]),
        "jti a number": _with_claims(jti=1),
    },
    "it has not expired": {
        "expired": _with_claims(exp=AT),
        "expired long ago": _with_claims(exp=0),
        "exp negative": _with_claims(exp=-1),
    },
    "it has been issued": {
        "iat in the future": _with_claims(iat=AT + 61, exp=AT + 7_200),
        "iat far in the future": _with_claims(iat=10**20, exp=10**20 + 1),
    },
    "times are whole numbers": {
        f"{name} {value!r}": _with_claims(**{name: value}) for name in ("exp", "iat") for value in NO_TIMES
    },
}  # fmt: skip
"""Forged tokens by name, by the rule that they break and no other."""
