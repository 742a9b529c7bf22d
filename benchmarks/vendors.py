"""The channels whose vendors a fast sink stands in for: settings, addresses, content, and ready
bytes for the floor.
"""

import json
from base64 import b64encode
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from angarium.channels import _apns_payload as apns
from angarium.channels import _fcm_payload as fcm
from angarium.channels._web_push_crypto import (
    CURVE,
    Vapid,
    encode,
    encrypt,
    make_private_key,
    write_point,
)
from angarium.plugins import Message, PushContent
from benchmarks.delivering import Job
from benchmarks.model import Figures
from benchmarks.processes import ask_for, ours, running
from benchmarks.seeding import Reach, reached_by

CONNECTIONS = 32
"""Of a provider that speaks HTTP, by default."""
AT_ONCE = 64
"""Sends at once of a provider, by default: so many requests share APNs' one connection."""
WINDOW = 10
"""Of sms_smpp, by default."""

PUSH = {
    "title": "{{ profile.first_name | default: 'Hello' }}, {{ event.properties.product }}",
    "body": "People in {{ profile.city }} like it for {{ event.properties.price }}.",
    "link": "https://shop.example.org/p/{{ event.properties.product }}",
}
SMS = {"text": "سلام {{ profile.first_name }}، کالای {{ event.properties.product }} رسید"}
WEBHOOK = {"type": "offer", "data": {"product": "{{ event.properties.product }}", **PUSH}}
SAMPLE = Message(
    key=f"dlv_{'x' * 24}",
    address="0" * 64,
    content=PushContent(
        title="Name1, sku-1",
        body="People in Tehran like it for 10.",
        link=f"https://shop.example.org/c/{'x' * 90}",
    ),
    deadline=1_800_086_400_000,
    at=1_800_000_000_000,
    delivery=f"dlv_{'x' * 24}",
)

Ready = Mapping[str, Any]
"""What a floor is told: one line of JSON, but for the count."""


class Vendor(msgspec.Struct, frozen=True):
    """One provider. sink, floor: scripts of ours; the sink is given a folder.

    job: what a worker is to do, given that folder and the sink's port. ready: the floor's job.
    """

    provider: str
    sink: str
    floor: str
    job: Callable[[Path, int], Job]
    ready: Callable[[Path, int], Ready]

    async def least(self, folder: Path, count: int, ready: Ready) -> Figures:
        """The floor's rate."""
        async with running(self.floor, ours(self.floor), folder) as floor:
            found = cast("dict[str, float]", await ask_for(floor, {**ready, "count": count}))
        return {"floor": count / found["seconds"]}


@asynccontextmanager
async def sinking(sink: str, folder: Path) -> AsyncGenerator[int]:
    """A sink in a process of its own; gives its port."""
    folder.mkdir(parents=True, exist_ok=True)
    async with running(sink, ours(sink, str(folder)), folder) as process:
        assert process.stdout is not None
        yield int(await process.stdout.readline())


def settings(provider: str, **values: object) -> Mapping[str, str]:
    """A provider's section, as an environment."""
    return {
        f"ANGARIUM_CHANNELS_{provider}_{name}".upper(): str(value) for name, value in values.items()
    }


def _posting(url: str, headers: Mapping[str, str], body: bytes) -> Ready:
    told = {"Content-Type": "application/json", "User-Agent": "angarium", **headers}
    ready = {"url": url, "headers": told, "body": b64encode(body).decode()}
    return {**ready, "connections": CONNECTIONS}


def _fcm_job(folder: Path, port: int) -> Job:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    account = {
        "client_email": "sender@my-shop.iam.gserviceaccount.com",
        "private_key": _pem(key),
        "project_id": "my-shop",
        "token_uri": f"http://127.0.0.1:{port}/token",
    }
    environ = settings(
        "push_fcm", service_account=json.dumps(account), url=f"http://127.0.0.1:{port}"
    )
    return Job("push", {"push": PUSH}, environ, _android)


def _fcm_ready(_folder: Path, port: int) -> Ready:
    url = f"http://127.0.0.1:{port}/v1/projects/my-shop/messages:send"
    message = msgspec.structs.replace(SAMPLE, address=_fcm_token(1))
    return _posting(url, {"Authorization": "Bearer bench"}, fcm.compose(message, fcm.Style()))


def _fcm_token(who: int) -> str:
    return f"{who:022}:APA91b{'x' * 134}"


def _android(who: int) -> Reach:
    return Reach(device=reached_by("android", _fcm_token(who)))


def _apns_job(folder: Path, port: int) -> Job:
    environ = settings(
        "push_apns",
        key=_pem(ec.generate_private_key(ec.SECP256R1())),
        key_id="ABC123DEFG",
        team_id="TEAM123456",
        topic="org.example.shop",
        url=f"https://127.0.0.1:{port}",
        ca_file=folder / "certificate.pem",
    )
    return Job("push", {"push": PUSH}, environ, _iphone)


def _apns_ready(folder: Path, port: int) -> Ready:
    headers = {
        ":method": "POST",
        ":scheme": "https",
        ":authority": f"127.0.0.1:{port}",
        ":path": f"/3/device/{SAMPLE.address}",
        "authorization": f"bearer {'x' * 200}",
        "apns-topic": "org.example.shop",
        "apns-id": "6f1c1c0e-7f5b-5d3a-9a53-1d6a6e0d4c11",
        **apns.headers(SAMPLE),
    }
    body = b64encode(apns.compose(SAMPLE)).decode()
    ready = {"port": port, "ca_file": str(folder / "certificate.pem"), "at_once": AT_ONCE}
    return {**ready, "headers": list(headers.items()), "body": body}


def _iphone(who: int) -> Reach:
    return Reach(device=reached_by("ios", f"{who:064x}"))


def _web_push_job(_folder: Path, port: int) -> Job:
    origin = f"http://127.0.0.1:{port}"
    environ = settings("web_push_vapid", contact="mailto:ops@example.org", push_services=origin)

    def browser(who: int) -> Reach:
        return Reach(device=reached_by("web", subscription(origin, who)))

    return Job("web_push", {"web_push": PUSH}, environ, browser)


def _web_push_ready(_folder: Path, port: int) -> Ready:
    origin = f"http://127.0.0.1:{port}"
    vapid = Vapid(make_private_key(), "mailto:ops@example.org")
    receiver = ec.generate_private_key(CURVE).public_key()
    payload = msgspec.json.encode(SAMPLE.content)
    headers = {
        "Authorization": vapid.header(origin, SAMPLE.at),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": "86400",
        "Urgency": "normal",
    }
    return _posting(f"{origin}/push/{'x' * 40}", headers, encrypt(payload, receiver, b"x" * 16))


def subscription(origin: str, who: int) -> str:
    """What a browser gives: an endpoint and keys of its own."""
    point = write_point(ec.generate_private_key(CURVE).public_key())
    keys = {"p256dh": encode(point), "auth": encode(who.to_bytes(16))}
    return json.dumps({"endpoint": f"{origin}/push/{who:040}", "keys": keys})


def _sms_http_job(_folder: Path, port: int) -> Job:
    environ = settings(
        "sms_http",
        url=f"http://127.0.0.1:{port}/sms",
        body='{"to":"{to}","text":"{text}","reference":"{key}","from":"{from}"}',
        **{"from": "20001234"},
        allow_private="true",
        answer_id="/id",
    )
    return Job("sms", {"sms": SMS}, environ)


def _sms_http_ready(_folder: Path, port: int) -> Ready:
    body = {"to": "+989120000001", "text": "سلام Name1، کالای sku-1 رسید"}
    whole = {**body, "reference": SAMPLE.key, "from": "20001234"}
    return _posting(f"http://127.0.0.1:{port}/sms", {}, msgspec.json.encode(whole))


def _sms_smpp_job(_folder: Path, port: int) -> Job:
    environ = settings(
        "sms_smpp",
        host="127.0.0.1",
        port=port,
        system_id="bench",
        password="secret",
        **{"from": "20001234"},
    )
    return Job("sms", {"sms": SMS}, environ)


def _sms_smpp_ready(_folder: Path, port: int) -> Ready:
    return {"port": port, "window": WINDOW}


def _webhook_job(_folder: Path, port: int) -> Job:
    environ = settings(
        "webhook_http",
        url=f"http://127.0.0.1:{port}/hook",
        secret=f"whsec_{b64encode(bytes(32)).decode()}",
        allow_private="true",
    )
    return Job("webhook", {"webhook": WEBHOOK}, environ, _known_to_crm)


def _webhook_ready(_folder: Path, port: int) -> Ready:
    told = {
        "type": "offer",
        "timestamp": "2026-11-22T10:00:00.000Z",
        "to": "crm-1",
        "delivery": SAMPLE.key,
        "test": False,
        "data": {
            "product": "sku-1",
            "title": SAMPLE.content.title,
            "body": SAMPLE.content.body,
            "link": "https://shop.example.org/p/sku-1",
        },
    }
    headers = {
        "webhook-id": SAMPLE.key,
        "webhook-timestamp": "1800000000",
        "webhook-signature": f"v1,{b64encode(bytes(32)).decode()}",
    }
    return _posting(f"http://127.0.0.1:{port}/hook", headers, msgspec.json.encode(told))


def _known_to_crm(who: int) -> Reach:
    return Reach({"webhook_id": f"crm-{who}"})


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


VENDORS: tuple[Vendor, ...] = (
    Vendor("push_fcm", "sink_http", "ready_http", _fcm_job, _fcm_ready),
    Vendor("push_apns", "sink_apns", "ready_apns", _apns_job, _apns_ready),
    Vendor("web_push_vapid", "sink_http", "ready_http", _web_push_job, _web_push_ready),
    Vendor("sms_http", "sink_http", "ready_http", _sms_http_job, _sms_http_ready),
    Vendor("sms_smpp", "sink_smpp", "ready_smpp", _sms_smpp_job, _sms_smpp_ready),
    Vendor("webhook_http", "sink_http", "ready_http", _webhook_job, _webhook_ready),
)
