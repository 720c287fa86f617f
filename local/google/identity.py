"""Google's side of an OIDC token: a key, tokens signed with it, and the URL that serves its certificate."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"
ISSUER = "https://accounts.google.com"
LIFETIME = timedelta(hours=1)
"""How long a token is valid."""
PATH = "/oauth2/v1/certs"
CACHE_CONTROL = "public, max-age=19800, must-revalidate, no-transform"
"""As the real URL answers: five and a half hours."""

_MADE_AT = datetime(2026, 1, 1, tzinfo=UTC)
_NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "federated-signon.system.gserviceaccount.com")])


class Identity:
    """A key pair that stays the same in its folder, so that tokens outlive a restart."""

    def __init__(self, folder: Path) -> None:
        file = folder / "identity.pem"
        if not file.exists():
            file.touch(mode=0o600)
            file.write_bytes(_as_pem(generate_private_key(65_537, 2_048)))
        key = serialization.load_pem_private_key(file.read_bytes(), None)
        assert isinstance(key, RSAPrivateKey)  # noqa: S101 - it was made above
        self.key = key
        certificate = _certificate(key)
        self.key_id = certificate.fingerprint(hashes.SHA1()).hex()  # noqa: S303 - a name, as Google's are
        self.certificates = {self.key_id: certificate.public_bytes(serialization.Encoding.PEM).decode()}

    def token(self, email: str, audience: str, now: datetime) -> str:
        """What Google attaches to a call that is made as this service account."""
        return jwt.encode(self.claims(email, audience, now), self.key, "RS256", {"kid": self.key_id})

    def claims(self, email: str, audience: str, now: datetime) -> dict[str, object]:
        """What such a token says."""
        subject = str(int(hashlib.sha256(email.encode()).hexdigest(), 16) % 10**21)
        return {
            "aud": audience,
            "azp": subject,
            "email": email,
            "email_verified": True,
            "exp": int((now + LIFETIME).timestamp()),
            "iat": int(now.timestamp()),
            "iss": ISSUER,
            "sub": subject,
        }


@contextmanager
def certificates_at(identity: Identity, port: int) -> Iterator[str]:
    """Serve the certificates on this machine, in the form of the real URL; the URL."""

    class Handler(_CertificatesHandler):
        content = json.dumps(identity.certificates).encode()

    with ThreadingHTTPServer((HOST, port), Handler) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        serving.start()
        yield f"http://{HOST}:{server.server_port}{PATH}"
        server.shutdown()
        serving.join()


class _CertificatesHandler(BaseHTTPRequestHandler):
    content: ClassVar[bytes]

    def do_GET(self) -> None:
        """The certificates, whatever the query."""
        found = self.path.partition("?")[0] == PATH
        content = self.content if found else b""
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Cache-Control", CACHE_CONTROL)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nobody wants to read it."""


def _as_pem(key: RSAPrivateKey) -> bytes:
    form, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, none)


def _certificate(key: RSAPrivateKey) -> x509.Certificate:
    builder = x509.CertificateBuilder().subject_name(_NAME).issuer_name(_NAME).serial_number(1)
    builder = builder.public_key(key.public_key()).not_valid_before(_MADE_AT)
    return builder.not_valid_after(_MADE_AT + timedelta(days=36_500)).sign(key, hashes.SHA256())
