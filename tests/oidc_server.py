"""A small OpenID Connect provider over real HTTP: discovery, codes, PKCE, signed tokens; wrong on demand.

`faults` names what to get wrong at the next exchange: see `FAULTS`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID = "beffroi-essai"
CLIENT_SECRET = "secret-de-l-essai"
FAULTS = (
    "discovery down",
    "discovery not json",
    "wrong issuer announced",
    "token endpoint down",
    "no id_token",
    "id_token not a token",
    "bad signature",
    "algorithm none",
    "signed with the client secret",
    "unknown key",
    "wrong nonce",
    "no nonce",
    "wrong issuer",
    "wrong audience",
    "expired",
    "someone else's user information",
    "user information down",
    "user information not json",
    "user information unsigned garbage",
    "no sub",
    "keys down",
    "keys not json",
)


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Provider:
    """What the server knows; tests change `person` and `fault` between exchanges."""

    issuer: str = ""
    person: dict[str, Any] = field(default_factory=lambda: {"sub": "personne-1"})
    fault: str = ""
    signed_userinfo: bool = False
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    key: rsa.RSAPrivateKey = field(default_factory=_key)
    other_key: rsa.RSAPrivateKey = field(default_factory=_key)

    def discovery(self) -> dict[str, Any]:
        wrong = self.fault == "wrong issuer announced"
        return {
            "issuer": "https://ailleurs.example" if wrong else self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/jwks",
            **({} if self.fault == "no end of session" else {"end_session_endpoint": f"{self.issuer}/logout"}),
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }

    def jwks(self) -> dict[str, Any]:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [{**public, "kid": "cle-1", "use": "sig", "alg": "RS256"}]}

    def authorize(self, query: dict[str, str]) -> str:
        self.asked.append(query)
        code = f"code-{len(self.asked)}"
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def end_session(self, query: dict[str, str]) -> str:
        claims = jwt.decode(
            query["id_token_hint"], self.key.public_key(), algorithms=["RS256"], audience=CLIENT_ID, issuer=self.issuer
        )
        self.ended.append(claims["sub"])
        return f"{query['post_logout_redirect_uri']}?{urlencode({'state': query['state']})}"

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        asked = self.codes.pop(form.get("code", ""), None)
        if asked is None or form.get("client_secret") != CLIENT_SECRET:
            return 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked.get("code_challenge"):
            return 400, {"error": "invalid_grant", "error_description": "PKCE"}
        answer = {"access_token": "acces", "token_type": "Bearer", "expires_in": 60, "id_token": self.id_token(asked)}
        if self.fault == "no id_token":
            del answer["id_token"]
        return 200, answer

    def id_token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "sub": self.person.get("sub", "personne-1"),
            "iat": now,
            "exp": now + 60,
            "nonce": asked.get("nonce", ""),
        }
        claims |= {
            "wrong nonce": {"nonce": "un-autre"},
            "wrong issuer": {"iss": "https://ailleurs.example"},
            "wrong audience": {"aud": "un-autre-client"},
            "expired": {"iat": now - 7200, "exp": now - 3600},
        }.get(self.fault, {})
        if self.fault == "no nonce":
            del claims["nonce"]
        if self.fault == "no sub":
            del claims["sub"]
        if self.fault == "id_token not a token":
            return "ceci.n'est.pas"
        if self.fault == "algorithm none":
            return jwt.encode(claims, key="", algorithm="none", headers={"kid": "cle-1"})
        if self.fault == "signed with the client secret":
            return jwt.encode(claims, key=CLIENT_SECRET * 3, algorithm="HS256", headers={"kid": "cle-1"})
        return self.signed(claims)

    def signed(self, claims: dict[str, Any]) -> str:
        key = self.other_key if self.fault == "bad signature" else self.key
        kid = "cle-inconnue" if self.fault == "unknown key" else "cle-1"
        return jwt.encode(claims, key=key, algorithm="RS256", headers={"kid": kid})

    def userinfo(self) -> tuple[str, str]:
        person = dict(self.person)
        if self.fault == "someone else's user information":
            person["sub"] = "quelqu-un-d-autre"
        if self.fault == "user information unsigned garbage":
            return "application/jwt", "e30.e30."
        if self.signed_userinfo:
            return "application/jwt", self.signed({**person, "iss": self.issuer, "aud": CLIENT_ID})
        return "application/json", json.dumps(person)


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    down = {
        "/.well-known/openid-configuration": "discovery",
        "/token": "token endpoint",
        "/userinfo": "user information",
        "/jwks": "keys",
    }

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

        def answer(self, status: int, content_type: str, body: str) -> None:
            part = down.get(urlsplit(self.path).path, "rien")
            if provider.fault == f"{part} down":
                status, body = 503, "en panne"
            if provider.fault == f"{part} not json":
                body = "<html>pas du JSON</html>"
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            pages = {
                "/.well-known/openid-configuration": lambda: ("application/json", json.dumps(provider.discovery())),
                "/jwks": lambda: ("application/json", json.dumps(provider.jwks())),
                "/userinfo": provider.userinfo,
            }
            redirections = {"/authorize": provider.authorize, "/logout": provider.end_session}
            if url.path in redirections:
                self.send_response(302)
                self.send_header("Location", redirections[url.path](query))
                self.end_headers()
                return
            self.answer(200, *pages[url.path]())

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status, body = provider.token({name: values[0] for name, values in parse_qs(raw).items()})
            self.answer(status, "application/json", json.dumps(body))

    return Handler


@contextmanager
def running() -> Iterator[Provider]:
    """Serve a provider on a free port of this machine until the block ends."""
    provider = Provider()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(provider))
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
