"""How many requests a caller may make: counted in each process for itself, and said in every answer.

Headers as in the IETF's draft-ietf-httpapi-ratelimit-headers.
"""

from datetime import timedelta
from math import ceil

from flask import g

from shared.access import Caller
from shared.errors import TooManyRequests
from shared.runtime import Runtime

_NAME = '"requests"'


def count(runtime: Runtime, caller: Caller | None) -> None:
    """Count a request. Raises TooManyRequests for one too many.

    Before an API token has been looked at: so it counts for the token's whole text, and whoever forges one
    uses up nobody else's.
    """
    if caller is None:
        return
    key = "requests", caller.user_id if caller.credential is None else caller.credential.token
    most, now = runtime.settings.requests_per_minute, runtime.clock()
    wait = runtime.buckets.wait(key, most, now)
    if not wait:
        runtime.buckets.add(key, most, now)
    left, until_empty = runtime.buckets.left(key, most, now)
    g.rate_headers = {
        "RateLimit": f"{_NAME};r={left};t={ceil(until_empty.total_seconds())}",
        "RateLimit-Policy": f"{_NAME};q={most};w=60",
    }
    if wait > timedelta(0):
        raise TooManyRequests(most, wait)
