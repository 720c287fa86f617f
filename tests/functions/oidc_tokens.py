"""Tokens as Google makes them and as it does not, and a server of certificates that says what it is told."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt

from local.google.identity import Identity
from shared.clock import Clock

AUDIENCE = "https://tasks-abc123-ew.a.run.app"
ACCOUNT = "envctl-tasks@a-project.iam.gserviceaccount.com"
SCHEDULER = "envctl-sweep@a-project.iam.gserviceaccount.com"


class Google:
    """Signs tokens, with one thing about them as it should not be."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.identity = Identity(folder)
        self.clock = clock

    def token(self, *, without: str = "", header: dict[str, Any] | None = None, **claims: Any) -> str:  # noqa: ANN401
        """A good token but for these claims and this header."""
        return jwt.encode(
            self.claims(without, **claims),
            self.identity.key,
            "RS256",
            {"kid": self.identity.key_id, **(header or {})},
        )

    def claims(self, without: str = "", **claims: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
        good = {**self.identity.claims(ACCOUNT, AUDIENCE, self.clock()), **claims}
        return {name: value for name, value in good.items() if name != without}

    def unsigned(self, algorithm: str = "none") -> str:
        head = {"alg": algorithm, "kid": self.identity.key_id, "typ": "JWT"}
        return f"{_part(head)}.{_part(self.claims())}."

    def signed_with_the_certificate(self) -> str:
        """By HMAC with the certificate as its key: what "whatever the token says" would verify."""
        head = {"alg": "HS256", "kid": self.identity.key_id, "typ": "JWT"}
        content = f"{_part(head)}.{_part(self.claims())}"
        [certificate] = self.identity.certificates.values()
        code = hmac.digest(certificate.encode(), content.encode(), hashlib.sha256)
        return f"{content}.{base64.urlsafe_b64encode(code).rstrip(b'=').decode()}"

    def without_key_id(self) -> str:
        return jwt.encode(self.claims(), self.identity.key, "RS256")


def _part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


class CertificateServer:
    """What the URL of the certificates answers, and how often it was asked."""

    def __init__(self) -> None:
        self.status = 200
        self.headers = {"Cache-Control": "public, max-age=3600, must-revalidate"}
        self.certificates: dict[str, str] = {}
        self.content: bytes | None = None
        """Instead of the certificates."""
        self.asked = 0
        self.silent = threading.Event()
        """While it is set no answer comes."""

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Serve; the URL."""
        told = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                told.asked += 1
                while told.silent.is_set():
                    threading.Event().wait(0.01)
                content = told.content if told.content is not None else json.dumps(told.certificates).encode()
                self.send_response(told.status)
                for name, value in {**told.headers, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
            yield f"http://127.0.0.1:{server.server_port}/oauth2/v1/certs"
            self.silent.clear()
            server.shutdown()
