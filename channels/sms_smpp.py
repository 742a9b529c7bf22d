"""Text messages over SMPP 3.4, straight to a carrier's or aggregator's service centre."""

import asyncio
import re
import ssl
from collections import OrderedDict
from collections.abc import Iterator
from hashlib import blake2b
from secrets import token_hex
from typing import Annotated, Any, ClassVar, Literal

import msgspec
import smpp34

from angarium.channels._gsm7 import encode_gsm7
from angarium.channels._phone_numbers import read_number
from angarium.channels._smpp_answers import read_refusal
from angarium.channels._smpp_events import (
    Deliver,
    IdStyle,
    Receipt,
    Written,
    read_event,
    spell_answered,
)
from angarium.channels._smpp_session import KEPT_EVENTS, Link
from angarium.channels._smpp_tunnel import Straight, Tunnel, Way
from angarium.channels._tls import create_client_tls
from angarium.plugins import (
    Accepted,
    InDoubt,
    Message,
    PermanentFailure,
    Provider,
    SmsContent,
    StatusUpdate,
    TemporaryFailure,
    hookimpl,
)
from angarium.plugins.provider import Report
from angarium.plugins.settings import Secret
from angarium.plugins.sms import SmsParts, is_opt_out, split_sms

MOST_PARTS = 255
"""An 8-bit reference counts no further (3GPP TS 23.040 §9.2.3.24.1)."""
KEPT_IDS = 10_000
"""How many of the last messages are known by our own key, until their receipts come."""

INTERNATIONAL, NATIONAL = 1, 2
"""Types of number (SMPP 3.4 §5.2.5)."""

_UDHI = 0x40
_BINDS = {"transceiver": "TRX", "transmitter": "TX"}

Count = Annotated[int, msgspec.Meta(ge=1, le=1000)]
Seconds = Annotated[float, msgspec.Meta(gt=0)]
Octet = Annotated[int, msgspec.Meta(ge=-1, le=255)]
Short = Annotated[str, msgspec.Meta(max_length=20, pattern=r"^[ -~]*$")]


class SmsSmppSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[channels.sms_smpp]`. Lengths of time are in seconds."""

    host: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^[A-Za-z0-9.:\[\]_-]+$", extra={"form": "a host's name or its IP address"}
        ),
    ]
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 2775
    tls: bool = False
    """To a centre whose certificate is genuine, and to no other. Without it all goes in clear: use
    a VPN."""
    ca_file: str = ""
    """With `tls`: certificates to trust instead of the system's, such as the centre's own."""
    tls_name: str = ""
    """With `tls`: the name that the centre's certificate is for, if that is not `host`."""
    system_id: Annotated[str, msgspec.Meta(min_length=1, max_length=15, pattern="^[ -~]*$")]
    password: Secret = Secret()
    """At most eight characters: SMPP has no room for more."""
    system_type: Annotated[str, msgspec.Meta(max_length=12)] = ""
    service_type: Annotated[str, msgspec.Meta(max_length=5)] = ""
    bind: Literal["transceiver", "transmitter"] = "transceiver"
    """A transmitter hears no receipts and no answers."""
    sender: Short = msgspec.field(name="from")
    from_ton: Octet = -1
    """-1: international for a number with a plus, alphanumeric for a name, else unknown."""
    from_npi: Octet = -1
    country: Annotated[
        str, msgspec.Meta(pattern=r"^[1-9]\d{0,2}$", extra={"form": "a calling code, as 98"})
    ] = "98"
    """Calling code of the numbers that answers come from in their national form."""
    receipts: bool = True
    receipt_ids: IdStyle = "same"
    """How receipts write the ids of messages; some centres answer in hex and report in decimal."""
    validity: bool = True
    """Whether to say until when a message is of use; a few centres refuse to hear it."""
    most_parts: Annotated[int, msgspec.Meta(ge=1, le=MOST_PARTS)] = 20
    window: Count = 10
    """How many messages may be unanswered at once: what the centre allows."""
    bind_seconds: Seconds = 10.0
    submit_seconds: Annotated[float, msgspec.Meta(gt=0, lt=30)] = 20.0

    def __post_init__(self) -> None:
        if not self.sender:
            raise ValueError("from: must not be empty")
        if not re.fullmatch("[ -~]{0,8}", self.password.reveal()):
            raise ValueError("password: SMPP takes up to 8 characters of ASCII (3.4 §5.2.2)")
        for name in ("ca_file", "tls_name"):
            if getattr(self, name) and not self.tls:
                raise ValueError(f"{name}: means nothing without tls = true")


class SmsSmpp(Provider):
    """One session; the parts of a message one after the other, the receipt asked for the last."""

    name: ClassVar[str] = "sms_smpp"
    channel: ClassVar[str] = "sms"
    Settings: ClassVar[type] = SmsSmppSettings

    def __init__(self, settings: SmsSmppSettings) -> None:
        self._settings = settings
        self._sent: OrderedDict[str, str] = OrderedDict()
        self._source = _source(settings)
        self._tls: ssl.SSLContext | None = None
        self._link = Link(
            self._create_way,
            self._create_client,
            window=settings.window,
            bind_seconds=settings.bind_seconds,
            submit_seconds=settings.submit_seconds,
        )

    async def open(self) -> None:
        if self._settings.tls:
            try:
                self._tls = create_client_tls(self._settings.ca_file)
            except ValueError as error:
                raise ValueError(f"channels.sms_smpp.{error}") from error

    async def send(self, message: Message) -> Accepted:
        content: SmsContent = message.content
        parts = split_sms(content.text)
        if len(parts.texts) > self._settings.most_parts:
            raise PermanentFailure(f"sms_smpp: longer than {self._settings.most_parts} parts")
        id = await self._submit(message, parts)
        self._remember(id, message.key)
        return Accepted(provider_id=id or message.key)

    async def listen(self, report: Report) -> None:
        """Receipts, and answers that opt out, for as long as one session lasts."""
        while events := await self._link.hear():
            updates = filter(None, map(self._read, events))
            await asyncio.gather(*map(report, updates))

    async def close(self) -> None:
        await self._link.close()

    async def _submit(self, message: Message, parts: SmsParts) -> str:
        """Send each part, and give the id of the last.

        A phone shows nothing of a text that lacks a part: where one is refused, or one before the
        last is in doubt, the whole was not sent. A repetition has the same reference, so a phone
        that kept the parts before joins them with it.
        """
        id = ""
        for number, pdu in enumerate(self._pdus(message, parts), 1):
            try:
                answer = await self._link.submit(**pdu)
            except InDoubt:
                if number == len(parts.texts):
                    raise
                raise TemporaryFailure("sms_smpp: no answer to a part; the rest is held") from None
            if not answer.is_success:
                raise read_refusal(answer.command_status)
            id = spell_answered(answer.message_id or "", self._settings.receipt_ids)
        return id

    def _pdus(self, message: Message, parts: SmsParts) -> Iterator[dict[str, Any]]:
        count = len(parts.texts)
        reference = blake2b(message.key.encode(), digest_size=1).digest()
        common = {
            **self._source,
            "destination_addr": message.address.removeprefix("+"),
            "dest_addr_ton": 1,
            "dest_addr_npi": 1,
            "service_type": self._settings.service_type,
            "data_coding": 8 if parts.alphabet == "ucs2" else 0,
            "esm_class": _UDHI if count > 1 else 0,
            "validity_period": _validity(message) if self._settings.validity else "",
        }
        for number, text in enumerate(parts.texts, 1):
            head = b"\x05\x00\x03" + reference + bytes([count, number]) if count > 1 else b""
            yield {
                **common,
                "short_message": head + _encode(text, parts),
                "registered_delivery": int(self._settings.receipts and number == count),
            }

    def _create_way(self) -> Way:
        settings = self._settings
        host = settings.host.strip("[]")
        if not settings.tls:
            return Straight(settings.host, settings.port)
        if self._tls is None:
            raise RuntimeError("open() comes before the first message")
        return Tunnel(host, settings.port, self._tls, settings.tls_name or host)

    def _create_client(self, host: str, port: int) -> smpp34.Client:
        settings = self._settings
        return smpp34.Client(
            host,
            port,
            settings.system_id,
            settings.password.reveal(),
            bind_type=_BINDS[settings.bind],
            system_type=settings.system_type,
            # More than we send at once, and than we keep: neither limit is to be met in there.
            window_size=settings.window + 1,
            inbound_capacity=KEPT_EVENTS,
            connect_timeout_ms=int(settings.bind_seconds * 1000),
        )

    def _read(self, event: Deliver) -> StatusUpdate | None:
        match read_event(event, self._settings.receipt_ids):
            case Receipt() as receipt:
                return self._of_receipt(receipt)
            case Written() as written if is_opt_out(written.text):
                return self._of_opt_out(written)
            case _:
                return None

    def _of_receipt(self, receipt: Receipt) -> StatusUpdate:
        """Without a key where it came before the answer to its message: the caller keeps it."""
        error = f", error {receipt.error}" if receipt.error else ""
        good = receipt.status in ("delivered", "accepted")
        return StatusUpdate(
            status=receipt.status,
            provider_id=receipt.id,
            key=self._sent.get(receipt.id, ""),
            id=f"{receipt.id}/{receipt.word}",
            reason="" if good else f"sms_smpp: {receipt.word}{error}",
        )

    def _of_opt_out(self, written: Written) -> StatusUpdate:
        country, sender = self._settings.country, written.sender.removeprefix("+")
        if written.ton == INTERNATIONAL or written.sender.startswith("+"):
            sender = f"+{sender}"
        elif written.ton == NATIONAL and not sender.startswith(("0", country)):
            sender = f"0{sender}"
        address = read_number(sender, country)
        return StatusUpdate(status="unsubscribed", address=address, id=f"answer/{token_hex(8)}")

    def _remember(self, id: str, key: str) -> None:
        self._sent[id] = key
        if len(self._sent) > KEPT_IDS:
            self._sent.popitem(last=False)


def _source(settings: SmsSmppSettings) -> dict[str, Any]:
    """The sender's address; its type and plan of numbering (SMPP 3.4 §5.2.5, §5.2.6)."""
    address = settings.sender.removeprefix("+")
    ton, npi = (1, 1) if settings.sender.startswith("+") else (0, 0)
    if not address.isdigit():
        ton, npi = 5, 0
    return {
        "source_addr": address,
        "source_addr_ton": ton if settings.from_ton < 0 else settings.from_ton,
        "source_addr_npi": npi if settings.from_npi < 0 else settings.from_npi,
    }


def _encode(text: str, parts: SmsParts) -> bytes:
    if parts.alphabet == "gsm7":
        return encode_gsm7(text)
    return text.encode("utf-16-be", "replace")


def _validity(message: Message) -> str:
    """The time that is left, in relative form (SMPP 3.4 §7.1.1.2); at most 28 days."""
    if not (message.deadline and message.at):
        return ""
    seconds = min(max((message.deadline - message.at) // 1000, 1), 28 * 86_400)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    day, hour = divmod(hours, 24)
    return f"0000{day:02}{hour:02}{minute:02}{second:02}000R"


@hookimpl
def register_providers() -> list[type[Provider]]:
    return [SmsSmpp]
