"""A provider of OpenID Connect on the loopback, with one key."""

import json
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

ISSUER, AUDIENCE = "https://id.example", "leadgraph"


class Provider:
    """A provider with one key, and how often its keys were asked for."""

    def __init__(self) -> None:
        self.key = generate_private_key(65537, 2048)
        self.asked = 0
        provider = self

        class Keys(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked += 1
                body = json.dumps({"keys": [provider.public("main")]}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Keys)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/keys"

    def public(self, name: str) -> dict[str, Any]:
        described: dict[str, Any] = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {**described, "kid": name, "use": "sig", "alg": "RS256"}

    def token(self, key: RSAPrivateKey | str | None = None, **changes: Any) -> str:
        now = datetime.now(UTC)
        headers = {"kid": changes.pop("kid", "main")}
        algorithm = changes.pop("algorithm", "RS256")
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "someone",
            "iat": now,
            "exp": now + timedelta(minutes=5),
            "email": "agent@demo.example",
            "email_verified": True,
            **changes,
        }
        given = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(given, self.key if key is None else key, algorithm=algorithm, headers=headers)

    def serve(self) -> None:
        self.server.serve_forever()
