"""Google's certificates: fetched over HTTP when a token needs one, and kept as long as they may be."""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared import log
from shared.clock import Clock
from shared.errors import Unavailable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

FETCH_SECONDS = 3.0
"""How long connecting and each part of the answer may take."""
FRESH_AT_MOST = timedelta(hours=24)
"""However long the answer says that it may be kept."""
PAUSE = timedelta(seconds=10)
"""After a fetch nothing is fetched for so long: no forged token makes more of them."""
STALE_AT_MOST = timedelta(hours=24)
"""For how long after their time certificates serve when others can't be had."""

_MAX_AGE = re.compile(r"(?:^|[,\s])max-age=([0-9]{1,9})(?:$|[,\s])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Fetched:
    keys: Mapping[str, "RSAPublicKey"]
    fresh_until: datetime


class Certificates:
    """The keys at a URL, by their ids. Instances serve many threads at once."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._url = url
        self._clock = clock
        self._fetching = threading.Lock()
        self._fetched: _Fetched | None = None
        self._tried_at: datetime | None = None
        self._failed = False

    def key(self, key_id: str) -> "RSAPublicKey | None":
        """The key with an id; None: there is none. Raises Unavailable when that can't be told."""
        now = self._clock()
        fetched = self._fetched
        if fetched is None or now >= fetched.fresh_until or key_id not in fetched.keys:
            fetched = self._renewed(now, key_id)
        if fetched is None or now >= fetched.fresh_until + STALE_AT_MOST:
            raise Unavailable("certificate server")
        key = fetched.keys.get(key_id)
        if key is None and self._failed:
            raise Unavailable("certificate server")  # the id may be that of a newer one
        return key

    def _renewed(self, now: datetime, key_id: str) -> _Fetched | None:
        """What is there after a fetch, unless there was one just now."""
        with self._fetching:
            fetched = self._fetched
            is_good = fetched is not None and now < fetched.fresh_until and key_id in fetched.keys
            if not is_good and (self._tried_at is None or now >= self._tried_at + PAUSE):
                self._tried_at = now
                self._fetch(now)
            return self._fetched

    def _fetch(self, now: datetime) -> None:
        import requests  # noqa: PLC0415 - loaded at the first use

        try:
            answer = requests.get(self._url, timeout=FETCH_SECONDS, allow_redirects=False)
            keys = _keys(answer.json() if answer.status_code == 200 else None)
        except (requests.RequestException, ValueError) as fault:
            self._failed = True
            log.write("ERROR", "certificates could not be fetched", url=self._url, fault=repr(fault))
            return
        self._fetched = _Fetched(keys, now + _lifetime(answer.headers))
        self._failed = False


def _lifetime(headers: Mapping[str, str]) -> timedelta:
    """How much longer an answer may be kept: `max-age`, less the time that a cache has had it for."""
    said, age = _MAX_AGE.search(headers.get("Cache-Control", "")), headers.get("Age", "0")
    if said is None or not re.fullmatch("[0-9]{1,9}", age):
        return timedelta(0)
    return min(timedelta(seconds=max(0, int(said[1]) - int(age))), FRESH_AT_MOST)


def _keys(content: object) -> dict[str, "RSAPublicKey"]:
    """The keys of `{id: certificate}`, the certificates as PEM. Raises ValueError when there are none."""
    keys = {}
    for name, pem in content.items() if isinstance(content, dict) else ():
        key = _key(pem)
        if key is not None:
            keys[str(name)] = key
    if not keys:
        raise ValueError("no certificates")
    return keys


def _key(pem: object) -> "RSAPublicKey | None":
    """A certificate's key; None for a kind that is not used here, so that one of them spoils no others."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - likewise
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415 - likewise
    from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415 - likewise

    try:
        key = load_pem_x509_certificate(str(pem).encode()).public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, RSAPublicKey) else None
