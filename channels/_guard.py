"""Which addresses a message may be sent to when somebody else chose the URL (SSRF, G15).

Three looks: at the URL, at every address that its name resolves to, and at the address that a
connection is about to be made to. The last is the one that counts: a name is resolved once, and
nothing is connected to but what was checked, so a name that changes its mind reaches nothing.
"""

import re
import socket
from collections.abc import Callable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
)
from typing import Final, TypeAlias

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

Address: TypeAlias = IPv4Address | IPv6Address
Allowed: TypeAlias = Callable[[Address], bool]
AddressInfo: TypeAlias = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int]]

_UNSAFE: Final = re.compile(r"[\x00-\x20\x7f\\]")

WEB_PORTS: Final = frozenset({443, 8443})

# IANA's registries of special-purpose addresses; `ipaddress.is_global` differs between the patch
# releases of Python, so the table is ours.
_SPECIAL_4: Final = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
        "168.63.129.16/32",  # public by its number, but a cloud's own service
    )
)
_GLOBAL_6: Final = IPv6Network("2000::/3")
_SPECIAL_6: Final = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # Teredo, benchmarks, ORCHID: none is a host's own address
        "2001:db8::/32",
        "2002::/16",  # 6to4 holds any IPv4 address, private ones too
        "3fff::/20",
    )
)
_NAT64: Final = IPv6Network("64:ff9b::/96")

# What `allow_private` opens: an organisation's own networks, and this machine.
_PRIVATE: Final = tuple(
    IPv4Network(text)
    for text in ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
) + tuple(IPv6Network(text) for text in ("::1/128", "fc00::/7"))
_METADATA: Final = frozenset(map(ip_address, ("100.100.100.200", "fd00:ec2::254")))


class AddressRefused(OSError, ValueError):
    """A name or address that leads where no message may go.

    Both a URL that cannot be used and a connection that cannot be made.
    """


def is_public(address: Address) -> bool:
    """Whether it is a host of the public Internet, and no disguise of one that is not."""
    plain = _undisguised(address)
    if isinstance(plain, IPv4Address):
        return not any(plain in network for network in _SPECIAL_4)
    return plain in _GLOBAL_6 and not any(plain in network for network in _SPECIAL_6)


def is_public_or_private(address: Address) -> bool:
    """As `is_public`, and networks of one's own; a cloud's metadata service never."""
    plain = _undisguised(address)
    if plain in _METADATA:
        return False
    return is_public(plain) or any(plain in network for network in _PRIVATE)


def allowed_by(allow_private: bool) -> Allowed:
    """The rule that a provider's setting `allow_private` asks for."""
    return is_public_or_private if allow_private else is_public


def check_url(
    url: str, allowed: Allowed = is_public, *, ports: frozenset[int] | None = WEB_PORTS
) -> None:
    """Refuse a URL that no message may go to, as far as its text tells.

    It must be https, without a user name, on one of `ports` (None: any), and an address that is
    written as a number must be `allowed`; plain http is taken where private addresses are allowed.
    Raises ValueError that says what is wrong, without the URL.
    """
    try:
        parsed = URL(url)
        host, port = parsed.raw_host, parsed.port
    except ValueError as error:
        raise ValueError("not a URL") from error
    if _UNSAFE.search(url):
        raise ValueError("not a URL: it holds a space, a control character or a backslash")
    schemes = ("https",) if allowed is is_public else ("https", "http")
    if parsed.scheme not in schemes or not host:
        raise ValueError("must begin with https:// and name a host")
    if parsed.raw_user is not None or parsed.raw_password is not None:
        raise ValueError("must hold no user name or password")
    if allowed is is_public and ports is not None and port not in ports:
        raise ValueError(f"the port must be one of {', '.join(map(str, sorted(ports)))}")
    check_host(host, allowed)


def check_host(host: str, allowed: Allowed) -> None:
    """Refuse a host that is written as an address, in any notation, and is not allowed.

    A name passes: it is judged when it has been resolved. Raises AddressRefused.
    """
    literal = _literal(host)
    if literal is None:
        return
    try:
        address = ip_address(literal)
    except ValueError:
        raise AddressRefused("an address must be written in the usual way") from None
    if not allowed(address):
        raise AddressRefused("this address is not a public one")


class GuardedResolver(AbstractResolver):
    """Resolves names; a name with a single answer that is not allowed does not exist."""

    def __init__(self, allowed: Allowed, inner: AbstractResolver | None = None) -> None:
        self._allowed = allowed
        self._inner = inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        for one in found:
            if not self._allowed(ip_address(one["host"])):
                raise AddressRefused("this name leads to an address that is not a public one")
        return found

    async def close(self) -> None:
        await self._inner.close()


def guarded_socket(allowed: Allowed) -> Callable[[AddressInfo], socket.socket]:
    """Makes the sockets of connections: the last look, whoever resolved the name."""

    def make(info: AddressInfo) -> socket.socket:
        family, kind, protocol, _, target = info
        # A name would raise ValueError here: only what was resolved by us is connected to.
        if not allowed(ip_address(target[0])):
            raise AddressRefused("this address is not a public one")
        return socket.socket(family, kind, protocol)

    return make


def _undisguised(address: Address) -> Address:
    """The IPv4 address inside one of IPv6, where the network would take it out."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _literal(host: str) -> str | None:
    """The host as an address, if anything would read it as one: `127.1` and `0x7f000001` too."""
    bare = host.strip("[]").rstrip(".")
    if ":" in bare:
        return bare
    last = bare.rpartition(".")[2].lower()
    numeric = last.isdigit() or last.startswith("0x")
    return bare if numeric else None
