"""Where a request comes from: what proxies wrote is believed, what stands before it is not."""

import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from shared.config import Google
from shared.http.origins import MOST_USER_AGENT, origin_of
from tests.functions.started import ON_GOOGLE


def _google(proxies: int) -> Google:
    given = {name.removeprefix("ENVCTL_").lower(): value for name, value in ON_GOOGLE.items()}
    return Google.model_validate({**given, "proxies": proxies})


def _request(address: str | None = "192.0.2.1", **headers: str) -> Request:
    sent = [(name.replace("_", "-"), value) for name, value in headers.items()]
    environ = EnvironBuilder(headers=sent).get_environ()
    return Request({**environ, **({} if address is None else {"REMOTE_ADDR": address})})


def test_on_one_machine_it_is_the_peer_whatever_is_forwarded() -> None:
    assert origin_of(_request(X_Forwarded_For="198.51.100.7"), None).address == "192.0.2.1"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (1, "203.0.113.5", "203.0.113.5"),
        (1, "198.51.100.7, 203.0.113.5", "203.0.113.5"),
        (2, "203.0.113.5, 192.0.2.9", "203.0.113.5"),
        (2, "198.51.100.7,203.0.113.5,192.0.2.9", "203.0.113.5"),
        (2, "x, 127.0.0.1, 198.51.100.7, 203.0.113.5 , 192.0.2.9", "203.0.113.5"),
        (2, "203.0.113.5", "203.0.113.5"),
        (2, "", "192.0.2.1"),
        (2, "nonsense, 192.0.2.9", ""),
    ],
)
def test_behind_proxies_it_is_what_the_first_of_them_was_called_from(
    proxies: int, forwarded: str, address: str
) -> None:
    request = _request(X_Forwarded_For=forwarded)
    assert origin_of(request, _google(proxies)).address == address


def test_by_default_the_gateway_and_the_functions_own_front_end_are_passed_over() -> None:
    request = _request(X_Forwarded_For="198.51.100.7, 203.0.113.5, 192.0.2.9")
    given = {name.removeprefix("ENVCTL_").lower(): value for name, value in ON_GOOGLE.items()}
    assert origin_of(request, Google.model_validate(given)).address == "203.0.113.5"


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
        (None, ""),
        ("unix:", ""),
    ],
)
def test_of_an_ipv6_address_it_is_the_network(peer: str | None, address: str) -> None:
    assert origin_of(_request(peer), None).address == address


def test_what_the_program_calls_itself_is_cut_and_printable() -> None:
    assert origin_of(
        _request(User_Agent="curl/8.1\x9b\t" + "x" * 500), None
    ).user_agent == "curl/8.1" + "x" * (MOST_USER_AGENT - 8)
    assert origin_of(_request(), None).user_agent is None
