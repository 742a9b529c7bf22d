"""The service account as which we speak to Google: the JSON file that its console gives."""

from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from angarium.channels._base_url import parse_base_url
from angarium.channels._jwt import sign_jwt

SCOPE: Final = "https://www.googleapis.com/auth/firebase.messaging"
ASSERTION_SECONDS: Final = 3600


class _File(msgspec.Struct):
    client_email: str
    private_key: str
    private_key_id: str = ""
    project_id: str = ""
    token_uri: str = "https://oauth2.googleapis.com/token"


class Account:
    """A service account and its key."""

    def __init__(self, file: Any, key: rsa.RSAPrivateKey) -> None:
        self.email: str = file.client_email
        self.project: str = file.project_id
        self.token_url: str = parse_base_url(file.token_uri)
        self._key_id: str = file.private_key_id
        self._key = key

    def assertion(self, now: int) -> str:
        """What an access token is given for (RFC 7523); `now` in milliseconds."""
        issued = now // 1000
        header = {"alg": "RS256", "typ": "JWT"} | ({"kid": self._key_id} if self._key_id else {})
        claims = {
            "iss": self.email,
            "scope": SCOPE,
            "aud": self.token_url,
            "iat": issued,
            "exp": issued + ASSERTION_SECONDS,
        }
        return sign_jwt(header, claims, self._sign)

    def _sign(self, data: bytes) -> bytes:
        return self._key.sign(data, padding.PKCS1v15(), hashes.SHA256())


def parse_account(text: str | bytes) -> Account:
    """Read the JSON of a service account. Raises ValueError, which repeats nothing of it."""
    try:
        file = msgspec.json.decode(text, type=_File)
    except ValueError:  # what msgspec says may hold a part of the text
        raise ValueError(
            "must be a service account's JSON, with client_email and private_key"
        ) from None
    try:
        key = serialization.load_pem_private_key(file.private_key.encode(), password=None)
    except (ValueError, TypeError):
        raise ValueError("private_key in it is no private key in PEM") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("private_key in it is no RSA key")
    try:
        return Account(file, key)
    except ValueError as error:
        raise ValueError(f"token_uri in it {error}") from None
