"""A stand-in for Apple's push service on Node's own HTTP/2, and how tests speak to it."""

import json
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.counterparts.smtp_certificates import make_certificate
from tests.parts.node import command, environ

SERVER = Path(__file__).with_name("server.mjs")
KEY_ID = "ABC123DEFG"
TEAM_ID = "TEAM123456"
TOPIC = "org.example.shop"


@dataclass
class Apns:
    """The running server. Every call returns when it has been carried out."""

    process: "subprocess.Popen[str]"
    port: int
    private_key: str
    """The .p8 that Apple would have given."""
    ca_file: str

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def reset(self, now: int) -> None:
        """Hang up on everybody and forget everything; `now` in seconds."""
        self._tell("reset")
        self._tell("settings", settings={"maxConcurrentStreams": 1000, "initialWindowSize": 65535})
        self.set_now(now)

    def set_now(self, now: int) -> None:
        self._tell("now", now=now)

    def rule(self, prefix: str, act: str, **rule: Any) -> None:
        """What to do about device tokens that begin with `prefix`; ACTS in server.mjs."""
        self._tell("rule", prefix=prefix, act=act, **rule)

    def settings(self, **settings: int) -> None:
        """HTTP/2 settings for sessions from now on, by Node's names."""
        self._tell("settings", settings=settings)

    def cut(self) -> None:
        """Break all connections."""
        self._tell("cut")

    @property
    def taken(self) -> list[dict[str, Any]]:
        """Each notification taken: its `headers` and `body`."""
        found: list[dict[str, Any]] = self._tell("report")["taken"]
        return found

    @property
    def sessions(self) -> int:
        """How many connections there were."""
        return int(self._tell("report")["sessions"])

    @property
    def tokens(self) -> list[str]:
        """The provider tokens seen."""
        found: list[str] = self._tell("report")["tokens"]
        return found

    def _tell(self, command: str, **rest: Any) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"command": command, **rest}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@contextmanager
def apns_server(folder: Path) -> Generator[Apns, None, None]:
    """Run it on a free port of this machine; certificate and keys stand in `folder`."""
    _, trusted = make_certificate(folder)
    key = ec.generate_private_key(ec.SECP256R1())
    public = folder / "signer.pem"
    public.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    options = {
        "certificate": str(trusted),
        "key": str(folder / "key.pem"),
        "publicKey": str(public),
        "keyId": KEY_ID,
        "teamId": TEAM_ID,
        "topic": TOPIC,
    }
    with subprocess.Popen(
        command(SERVER, json.dumps(options)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environ(),
    ) as process:
        assert process.stdout is not None
        port = json.loads(process.stdout.readline())["port"]
        yield Apns(process, port, private_pem(key), str(trusted))
        assert process.stdin is not None
        process.stdin.close()


def private_pem(key: ec.EllipticCurvePrivateKey) -> str:
    """The key as Apple gives it."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
