"""Where a request comes from: the caller's address, as far as it can be believed, and program."""

import ipaddress
from typing import NamedTuple

from flask import Request

from shared.config import Google

MOST_USER_AGENT = 200


class Origin(NamedTuple):
    """Where a request comes from."""

    address: str = ""
    """An IPv4 address, or the /64 network of an IPv6 one, which is what one customer gets."""
    user_agent: str | None = None
    """What the program calls itself, cut."""


def origin_of(request: Request, google: Google | None) -> Origin:
    """The origin of a request, on one machine or behind Google's proxies.

    Each proxy adds the address that it was called from to the end of X-Forwarded-For. What stands
    before those that are Google's own anybody may have written.
    """
    address = request.remote_addr or ""
    if google is not None:
        forwarded = ",".join(request.headers.getlist("X-Forwarded-For")).split(",")
        address = forwarded[-min(google.proxies, len(forwarded))].strip() or address
    agent = "".join(filter(str.isprintable, request.headers.get("User-Agent", "")))[:MOST_USER_AGENT]
    return Origin(_network(address), agent or None)


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            return str(ipaddress.ip_network((int(parsed), 64), strict=False))
        parsed = parsed.ipv4_mapped
    return str(parsed)
