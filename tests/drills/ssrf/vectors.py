"""Hosts that lead where no message may go, in every notation that we know of."""

from collections.abc import Iterator
from typing import Final

LOOPBACK: Final = (
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "127.000.000.001",
    "127.127.127.127",
    "2130706433",
    "0x7f000001",
    "0X7F000001",
    "0x7f.0.0.1",
    "0x7f.1",
    "0177.0.0.1",
    "0177.1",
    "017700000001",
    "00000000177.0.0.1",
    "127.0.0.0x1",
    "１２７.0.0.1",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "127．0．0．1",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "0x7f000001.",
    "localhost",
    "localhost.",
    "LOCALHOST",
    "LocalHost.localdomain",
    "ⓛocalhost",
    "localhost%00.example.org",
    "localhost%2f.example.org",
    "0.0.0.0",
    "0",
    "0x0",
    "00.0.0.0",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[0000:0000:0000:0000:0000:0000:0000:0001]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "[::1%25lo]",
    "[fe80::1%25lo]",
    "user@127.0.0.1",
    "user:secret@localhost",
    "example.org@127.0.0.1",
    "example.org:443@127.0.0.1",
    "127.0.0.1\\@example.org",
    "example.org\\@127.0.0.1",
    "127.0.0.1\t",
    "127.0.0.1%09",
)
ELSEWHERE: Final = (
    "169.254.169.254",
    "169.254.169.254.",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "169.254.43518",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[64:ff9b::a9fe:a9fe]",
    "[fd00:ec2::254]",
    "[fe80::a9fe:a9fe]",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "198.18.0.1",
    "[ff02::1]",
    "[2001:db8::1]",
    "metadata.test",
    "metadata.test.",
)
"""A cloud's own services, and what is no host: never, even where private networks are allowed."""
PRIVATE: Final = (
    "10.0.0.1",
    "10.1",
    "012.0.0.1",
    "0xa000001",
    "172.16.0.1",
    "192.168.0.1",
    "192.168.1",
    "3232235521",
    "100.64.0.1",
    "[fc00::1]",
    "[fd12:3456::1]",
    "[::ffff:10.0.0.1]",
)
NAMES: Final = {
    "loop.test": "127.0.0.1",
    "xn--lop-0na.test": "127.0.0.1",
    "six.test": "::1",
    "mapped.test": "::ffff:127.0.0.1",
    "zero.test": "0.0.0.0",
    "private.test": "10.0.0.1",
    "unique.test": "fd12:3456::1",
    "link.test": "169.254.1.1",
    "metadata.test": "169.254.169.254",
    "alias.test": "127.0.0.1",
    "first.test": "127.0.0.1 9.9.9.9",
    "last.test": "9.9.9.9 127.0.0.1",
    "mixed.test": "2620:fe::fe 9.9.9.9 ::1",
    "127.0.0.1.test": "127.0.0.1",
    "localhost": "127.0.0.1",
    "localhost.localdomain": "127.0.0.1",
}
"""What the resolver says of names; several answers are separated by spaces."""
SPELLINGS: Final = ("loop.test.", "LOOP.TEST", "loop。test", "lóop.test", "alias.test")

ALL: Final = (*LOOPBACK, *ELSEWHERE, *PRIVATE, *NAMES, *SPELLINGS)


def urls(hosts: tuple[str, ...], port: int) -> Iterator[str]:
    """Of each host, with the canary's port and without, in clear and in TLS."""
    for host in hosts:
        for scheme in ("http", "https"):
            yield f"{scheme}://{host}:{port}/x"
            yield f"{scheme}://{host}/x"
    for host in hosts[:3]:
        yield f"https://{host}:{port}#@example.org/"
        yield f"https:{host}:{port}/x"
        yield f"https:\\\\{host}:{port}/x"
        yield f"//{host}:{port}/x"
        yield f"gopher://{host}:{port}/x"
        yield f"file://{host}/etc/passwd"
