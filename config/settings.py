"""Everything that an operator may set: name, type, bounds, default and meaning.

The structs are data: `load.py` checks values against them, `reference.py` prints them, and
`docs/settings.md` is made from them. A unit stands in the name or in the description.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from angarium.config import limits
from angarium.config.checks import are_caps, are_networks, are_quiet_hours, is_time_zone

Port = Annotated[int, Meta(ge=0, le=65_535)]
Count = Annotated[int, Meta(ge=1, le=100_000)]
Rate = Annotated[int, Meta(ge=0, le=1_000_000)]
Seconds = Annotated[float, Meta(gt=0, le=3600)]


# `form` says in words what a pattern or a `check` demands.
Region = Annotated[
    str, Meta(pattern=r"^[A-Z]{2}\Z", extra={"form": "a country's two capital letters, as IR"})
]
Currency = Annotated[
    str, Meta(pattern=r"^[A-Z]{3}\Z", extra={"form": "three capital letters, as IRR"})
]
Key = Annotated[
    str,
    Meta(
        pattern=r"^([!-9;-~]{8,200})?\Z",
        extra={"secret": True, "form": "8 to 200 plain characters without spaces or colons"},
    ),
]
Url = Annotated[
    str,
    Meta(
        pattern=r"^(https?://[^\s/?#]+[^\s?#]*)?\Z",
        extra={"form": "an address, as https://gateway.example.org"},
    ),
]
NatsUrl = Annotated[
    str,
    Meta(
        pattern=r"^((nats|tls)://[^\s,]+(,(nats|tls)://[^\s,]+)*)?\Z",
        extra={"secret": True, "form": "an address, as nats://127.0.0.1:4222"},
    ),
]
DatabaseUrl = Annotated[
    str,
    Meta(
        pattern=r"^((sqlite|postgres|postgresql)://\S+)?\Z",
        extra={"secret": True, "form": "an address, as postgresql://name@host/database"},
    ),
]


Networks = Annotated[
    tuple[str, ...],
    Meta(extra={"check": are_networks, "form": "a list of IP addresses or networks"}),
]
TimeZone = Annotated[
    str, Meta(extra={"check": is_time_zone, "form": "an IANA time zone, as Asia/Tehran"})
]


Caps = Annotated[
    tuple[str, ...],
    Meta(
        extra={
            "check": are_caps,
            "form": "a list of caps as 3 per P1D, with a time of up to 31 days (P7D, PT1H, PT30M)",
        }
    ),
]
QuietHours = Annotated[
    str,
    Meta(extra={"check": are_quiet_hours, "form": "a span of the day, as 22:00-08:00"}),
]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table of angarium.toml; an unknown name in it is a mistake."""


class Http(Section, frozen=True, kw_only=True):
    """The HTTP door: API, public links, console."""

    host: Annotated[str, Meta(min_length=1, description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[Port, Meta(description="Port to listen on; 0 takes a free one.")] = 8080
    public_url: Annotated[
        Url,
        Meta(description="What links in messages begin with. Unset: http://<host>:<port>."),
    ] = ""
    origins: Annotated[
        tuple[str, ...],
        Meta(description="Web origins whose pages may send events; * is any."),
    ] = ("*",)
    trusted_proxies: Annotated[
        Networks,
        Meta(description="Addresses of proxies whose X-Forwarded-For is believed."),
    ] = ()
    drain_seconds: Annotated[
        Seconds, Meta(description="How long a stopping door may finish requests that have begun.")
    ] = 5.0


class Data(Section, frozen=True, kw_only=True):
    """Where this machine keeps its files."""

    dir: Annotated[
        str,
        Meta(min_length=1, description="Folder of the broker's streams, SQLite and the lock."),
    ] = "./angarium-data"


class Nats(Section, frozen=True, kw_only=True):
    """The NATS JetStream server."""

    url: Annotated[
        NatsUrl,
        Meta(description="Server or servers (comma-separated). Unset: `angarium up` runs its own."),
    ] = ""
    port: Annotated[
        Port, Meta(description="Port of the embedded server on 127.0.0.1; 0 takes a free one.")
    ] = 0
    binary: Annotated[
        str,
        Meta(description="nats-server to run. Unset: the one installed with us, else on PATH."),
    ] = ""
    partitions: Annotated[
        int,
        Meta(
            ge=1,
            le=256,
            description="How many workers may share the events; set once, 16 for a cluster.",
        ),
    ] = 1
    replicas: Annotated[
        Literal[1, 3, 5], Meta(description="Copies of each stream in a NATS cluster.")
    ] = 1
    max_bytes: Annotated[
        int,
        Meta(
            ge=16 * 1024 * 1024,
            description="Bytes of waiting events kept on disk; beyond, the doors answer 503.",
        ),
    ] = 1024 * 1024 * 1024


class Database(Section, frozen=True, kw_only=True):
    """The SQL database."""

    url: Annotated[
        DatabaseUrl,
        Meta(description="postgresql://… or sqlite:///…. Unset: SQLite in the data directory."),
    ] = ""


class Keys(Section, frozen=True, kw_only=True):
    """First keys of a new instance; more are made with `angarium keys create`."""

    admin: Annotated[
        Key, Meta(description="First admin key. Unset: one is made and shown once.")
    ] = ""
    write: Annotated[
        Key, Meta(description="First write key. Unset: one is made and shown once.")
    ] = ""


class Log(Section, frozen=True, kw_only=True):
    """What the processes say on standard error."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Meta(description="The least serious line that is written."),
    ] = "info"
    format: Annotated[
        Literal["auto", "json", "console"],
        Meta(description="JSON lines, or text for people; auto is text on a terminal."),
    ] = "auto"


class People(Section, frozen=True, kw_only=True):
    """What is assumed of a person who has not said otherwise."""

    region: Annotated[
        Region, Meta(description="ISO 3166 code of the country of numbers without a prefix.")
    ] = "IR"
    timezone: Annotated[TimeZone, Meta(description="Zone of people whose own is not known.")] = (
        "Asia/Tehran"
    )


class Messages(Section, frozen=True, kw_only=True):
    """What is asked of every message to a person, whatever campaign or service wants it sent."""

    quiet_hours: Annotated[
        QuietHours,
        Meta(description="When people are left alone, in their own zone. Unset: never."),
    ] = ""
    caps: Annotated[
        Caps, Meta(description="Most messages for each person, of all classes together.")
    ] = ()
    marketing_caps: Annotated[Caps, Meta(description="The same of marketing messages alone.")] = ()
    transactional_caps: Annotated[
        Caps, Meta(description="The same of transactional messages alone.")
    ] = ()
    classes: Annotated[
        tuple[Literal["marketing", "transactional"], ...],
        Meta(
            description="Classes that `quiet_hours` and `caps` hold; others pass, and are counted."
        ),
    ] = ("marketing",)
    hold_hours: Annotated[
        int,
        Meta(
            ge=1,
            le=720,
            description="How late a message that these rules may hold is still sent, where its "
            "campaign does not say.",
        ),
    ] = 24
    app_open_minutes: Annotated[
        int,
        Meta(
            ge=1,
            le=1440,
            description="How long an app that said that it is open counts as open after its device "
            "was heard of last; `live` messages go to no other.",
        ),
    ] = 10


class Sms(Section, frozen=True, kw_only=True):
    """What text messages cost, as it is shown before they are sent (`POST /v1/sms/parts`)."""

    part_price: Annotated[
        float, Meta(ge=0, le=1e9, description="Price of one part; 0 shows no cost.")
    ] = 0.0
    currency: Annotated[
        Currency, Meta(description="The currency of `part_price`, by ISO 4217.")
    ] = "IRR"


class Limits(Section, frozen=True, kw_only=True):
    """How much a client may send at once."""

    batch_bytes: Annotated[
        int,
        Meta(
            ge=limits.MESSAGE_BYTES,
            le=limits.BATCH_BYTES_MOST,
            description="Bytes of one HTTP request's body, inflated.",
        ),
    ] = limits.BATCH_BYTES
    message_bytes: Annotated[
        int, Meta(ge=1024, le=limits.BATCH_BYTES, description="Bytes of one message in a batch.")
    ] = limits.MESSAGE_BYTES
    batch_messages: Annotated[Count, Meta(description="Messages in one batch.")] = (
        limits.BATCH_MESSAGES
    )
    event_names: Annotated[
        Count, Meta(description="Different event names that a workspace may hold.")
    ] = limits.EVENT_NAMES
    events_per_second: Annotated[
        Rate, Meta(description="Messages a second for each write key; 0 is no limit.")
    ] = limits.EVENTS_PER_SECOND
    public_per_second: Annotated[
        Rate,
        Meta(
            description="Clicks, opens, unsubscribes and refused callbacks a second from one "
            "network address; 0 is no limit."
        ),
    ] = limits.PUBLIC_PER_SECOND


class Core(Section, frozen=True, kw_only=True):
    """The workers that turn messages into people, runs and deliveries."""

    batch: Annotated[
        int, Meta(ge=1, le=10_000, description="Stream messages taken in one transaction.")
    ] = 2_000
    lease_seconds: Annotated[
        Seconds, Meta(description="After how long without a sign of life another takes over.")
    ] = 10.0
    drain_seconds: Annotated[
        Seconds, Meta(description="How long a stopping worker may finish what it began.")
    ] = 5.0


class Deliver(Section, frozen=True, kw_only=True):
    """The workers that hand deliveries to channel plugins."""

    channels: Annotated[
        tuple[str, ...], Meta(description="Channels that this process serves; none named: all.")
    ] = ()
    concurrency: Annotated[
        int, Meta(ge=1, le=10_000, description="Sends at once for each provider.")
    ] = 64
    batch: Annotated[
        int,
        Meta(
            ge=1,
            le=10_000,
            description="Deliveries claimed at once; as many at most wait in the process for a "
            "place at a provider that answers quickly.",
        ),
    ] = 200
    lease_seconds: Annotated[
        Seconds,
        Meta(description="After how long without a sign of life a worker's deliveries are swept."),
    ] = 30.0
    send_seconds: Annotated[
        Seconds,
        Meta(
            description="How long one send may take before it counts as in doubt; more than the "
            "600 s that a mail server may take for its last answer (RFC 5321 §4.5.3.2.6)."
        ),
    ] = 660.0
    drain_seconds: Annotated[
        Seconds, Meta(description="How long a stopping worker waits for sends in flight.")
    ] = 12.0


class Plugins(Section, frozen=True, kw_only=True):
    """Plugins that did not come with Angarium."""

    isolation: Annotated[
        Literal["process", "none"],
        Meta(description="Providers of others in processes of their own, or inside ours."),
    ] = "process"
    inside: Annotated[
        tuple[str, ...],
        Meta(description="Plugins that run inside ours nonetheless: faster, and not contained."),
    ] = ()
    off: Annotated[
        tuple[str, ...], Meta(description="Plugins that are installed and shall not be loaded.")
    ] = ()
    environ: Annotated[
        tuple[str, ...],
        Meta(description="Environment variables that their processes may see, as HTTPS_PROXY."),
    ] = ()
    memory_mb: Annotated[
        int, Meta(ge=64, le=1_048_576, description="Mebibytes that such a process may write to.")
    ] = 512
    files: Annotated[
        int, Meta(ge=32, le=1_048_576, description="Files and sockets that it may have open.")
    ] = 1024
    start_seconds: Annotated[Seconds, Meta(description="How long it may take to load.")] = 20.0
    hang_seconds: Annotated[
        Seconds, Meta(description="How long its event loop may stand still before it is ended.")
    ] = 10.0
    failures: Annotated[
        int, Meta(ge=1, le=1000, description="Failures after which a plugin is put aside.")
    ] = 5
    aside_seconds: Annotated[
        Annotated[float, Meta(gt=0, le=604_800)],
        Meta(description="How long it is left alone then, before it is tried again."),
    ] = 900.0


def _no_channels() -> Mapping[str, Mapping[str, Any]]:
    return {}


class Settings(Section, frozen=True, kw_only=True):
    """All of it. `channels` holds each provider's section as written: its plugin decodes it."""

    http: Http = Http()
    data: Data = Data()
    nats: Nats = Nats()
    database: Database = Database()
    keys: Keys = Keys()
    log: Log = Log()
    people: People = People()
    messages: Messages = Messages()
    sms: Sms = Sms()
    limits: Limits = Limits()
    core: Core = Core()
    deliver: Deliver = Deliver()
    plugins: Plugins = Plugins()
    channels: Mapping[str, Mapping[str, Any]] = msgspec.field(default_factory=_no_channels)
