"""Where a message may go when somebody else chose the URL (G15)."""

import socket
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from angarium.channels._guard import (
    WEB_PORTS,
    AddressRefused,
    allowed_by,
    check_url,
    guarded_socket,
    is_public,
    is_public_or_private,
)

PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "5.160.0.1",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00:1450::1",
    "2001:200::1",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
]
OWN = [
    "127.0.0.1",
    "127.255.255.254",
    "10.0.0.0",
    "10.255.255.255",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "100.127.255.255",
    "::1",
    "fc00::1",
    "fdff::1",
    "::ffff:127.0.0.1",
    "::ffff:10.1.2.3",
    "64:ff9b::7f00:1",
    "64:ff9b::192.168.0.1",
]
NOWHERE = [
    "0.0.0.0",
    "0.1.2.3",
    "169.254.169.254",
    "169.254.0.1",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "168.63.129.16",
    "100.100.100.200",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "fd00:ec2::254",
    "2001::1",
    "2001:0:7f00:1::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "3fff::1",
    "64:ff9b:1::1",
    "::7f00:1",
    "100::1",
    "4000::1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "::ffff:0.0.0.0",
    "::ffff:100.100.100.200",
]


@pytest.mark.parametrize("text", PUBLIC)
def test_a_host_of_the_internet_may_be_called(text: str) -> None:
    assert is_public(ip_address(text))
    assert is_public_or_private(ip_address(text))


@pytest.mark.parametrize("text", OWN)
def test_ones_own_network_only_on_request(text: str) -> None:
    assert not is_public(ip_address(text))
    assert is_public_or_private(ip_address(text))


@pytest.mark.parametrize("text", NOWHERE)
def test_some_addresses_never(text: str) -> None:
    assert not is_public(ip_address(text))
    assert not is_public_or_private(ip_address(text))


@given(st.ip_addresses())
def test_what_python_knows_not_to_be_global_is_not_public(address: object) -> None:
    text = str(address)
    anycast = [ip_network("192.31.196.0/24"), ip_network("192.52.193.0/24")]
    if is_public(ip_address(text)) and not any(ip_address(text) in one for one in anycast):
        plain = getattr(ip_address(text), "ipv4_mapped", None) or ip_address(text)
        assert plain.is_global or plain in ip_network("64:ff9b::/96")


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.org/in",
        "https://hooks.example.org:8443/in?a=b",
        "https://فروشگاه.ایران/راه",
        "https://8.8.8.8/",
        "https://[2606:4700::1111]/",
        "https://web.push.apple.com/QGuQ-_~:x",
        "HTTPS://EXAMPLE.ORG",
    ],
)
def test_a_public_https_url_passes(url: str) -> None:
    check_url(url)


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("", "must begin with https://"),
        ("//example.org", "must begin with https://"),
        ("example.org", "must begin with https://"),
        ("https://", "must begin with https://|not a URL"),
        ("https:///path", "must begin with https://|not a URL"),
        ("http://example.org", "must begin with https://"),
        ("http://127.0.0.1", "must begin with https://"),
        ("ftp://example.org", "must begin with https://"),
        ("file:///etc/passwd", "must begin with https://"),
        ("gopher://example.org", "must begin with https://"),
        ("javascript:alert(1)", "must begin with https://"),
        ("https://user@example.org", "no user name"),
        ("https://user:pass@example.org", "no user name"),
        ("https://example.org@127.0.0.1", "no user name"),
        ("https://:@example.org", "no user name"),
        ("https://example.org:22", "the port must be one of 443, 8443"),
        ("https://example.org:80", "the port must be one of"),
        ("https://example.org:6379", "the port must be one of"),
        ("https://example.org:99999", "not a URL"),
        ("https://127.0.0.1", "not a public one"),
        ("https://127.0.0.1.", "not a public one"),
        ("https://127.1", "usual way"),
        ("https://2130706433", "usual way"),
        ("https://0x7f000001", "usual way"),
        ("https://0x7f.0.0.1", "usual way"),
        ("https://0177.0.0.1", "usual way"),
        ("https://017700000001", "usual way"),
        ("https://127.0.0.0x1", "usual way"),
        ("https://１２７.0.0.1", "not a public one|usual way|not a URL"),
        ("https://127。0。0。1", "not a public one|usual way|not a URL"),
        ("https://①②⑦.0.0.1", "not a public one|usual way|not a URL"),
        ("https://%31%32%37.0.0.1", "not a public one|usual way|not a URL"),
        ("https://169.254.169.254/latest/meta-data", "not a public one"),
        ("https://[::1]", "not a public one"),
        ("https://[::]", "not a public one"),
        ("https://[::ffff:127.0.0.1]", "not a public one"),
        ("https://[::ffff:7f00:1]", "not a public one"),
        ("https://[fe80::1%25eth0]", "not a public one|usual way|not a URL"),
        ("https://[64:ff9b::127.0.0.1]", "not a public one"),
        ("https://[2002:7f00:1::]", "not a public one"),
        ("https://[::1", "not a URL"),
        ("https://[127.0.0.1]", "not a public one|usual way|not a URL"),
        ("https://10.0.0.1#@example.org", "not a public one"),
        ("https://10.0.0.1\\@example.org", "not a URL"),
        ("https://exa mple.org", "not a URL"),
        ("https://example.org/\r\nHost: x", "not a URL"),
    ],
)
def test_another_url_is_refused_by_its_text(url: str, error: str) -> None:
    with pytest.raises(ValueError, match=error) as caught:
        check_url(url)

    assert len(url) < 9 or url not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8000/x", "http://10.0.0.1", "https://crm.internal:9443", "http://[::1]:1"],
)
def test_an_internal_service_is_reached_on_request(url: str) -> None:
    with pytest.raises(ValueError, match=r"must begin|port"):
        check_url(url)
    check_url(url, allowed_by(allow_private=True))


@pytest.mark.parametrize("url", ["http://169.254.169.254", "http://0.0.0.0", "https://a@10.0.0.1"])
def test_even_then_not_everything(url: str) -> None:
    with pytest.raises(ValueError, match=r"public|user name"):
        check_url(url, allowed_by(allow_private=True))


def test_any_port_if_the_caller_says_so() -> None:
    assert 443 in WEB_PORTS
    check_url("https://example.org:1234", ports=None)


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "localhost", "2130706433", ""])
def test_the_last_look_is_at_the_address_itself(host: str) -> None:
    make = guarded_socket(is_public)
    with pytest.raises((AddressRefused, ValueError)):
        make((socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 443)))


def test_a_socket_is_made_for_what_was_allowed() -> None:
    make = guarded_socket(allowed_by(allow_private=True))
    with make((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 443))) as made:
        assert made.family == socket.AF_INET
