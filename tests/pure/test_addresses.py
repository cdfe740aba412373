"""Where no call may go: targets that reach inside, in every spelling (design.md 9.5, faults.md T16)."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iwrouting.conf.addresses import address_allowed, url_fault

REFUSED_HOSTS = [
    # loopback
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.255.255.254",
    "0.0.0.0",  # noqa: S104 - a target, not a bind
    "0",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "api.localhost",
    # numbers that mean 127.0.0.1, 169.254.169.254 and 10.0.0.1
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0x7F.0x0.0x0.0x1",
    "017700000001",
    "0177.0.0.1",
    "127.0x0.0.01",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "167772161",
    "012.0.0.1",
    # metadata services
    "169.254.169.254",
    "169.254.170.2",
    "169.254.0.1",
    "[fd00:ec2::254]",
    "[fe80::a9fe:a9fe]",
    "100.100.100.200",
    "192.0.0.192",
    "168.63.129.16",
    "metadata.google.internal",
    "metadata.google.internal.",
    "metadata.goog",
    "metadata",
    "instance-data",
    "instance-data.ec2.internal",
    # private networks
    "10.0.0.1",
    "10.255.255.255",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "198.18.0.1",
    "192.0.2.1",
    "198.51.100.7",
    "203.0.113.9",
    "192.88.99.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "[fc00::1]",
    "[fd12:3456::1]",
    "[fe80::1]",
    "[fe80::1%25eth0]",
    "[fe80::1%eth0]",
    "[fec0::1]",
    "[ff02::1]",
    "[2001:db8::1]",
    "[3fff::1]",
    "[100::1]",
    "[5f00::1]",
    # IPv4 inside IPv6
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:10.0.0.1]",
    "[::ffff:169.254.169.254]",
    "[::ffff:0:127.0.0.1]",
    "[::127.0.0.1]",
    "[::a9fe:a9fe]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::a00:1]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]",
    "[2002:c0a8:101::]",
    "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
    "[2001:0:808:808:0:0:f5ff:fffe]",
    # names that are only known inside
    "printer.local",
    "printer.local.",
    "vault.svc.cluster.local",
    "db.internal",
    "router.localdomain",
    "nas.home.arpa",
    "postgres",
    "kubernetes",
    # spellings that other parsers read as an address
    "127.0.0.1.",
    "169.254.169.254.",
    "①②⑦.⓪.⓪.①",
    "１２７.0.0.1",
    "127。0。0。1",
    "127．0．0．1",
    "ⓛⓞcalhost",
    "lo\u00adcalhost",
    "127%2e0%2e0%2e1",
    "%31%32%37.0.0.1",
    "127.0.0.1\\.provider.example",
    "127.0.0.1 provider.example",
    "127.0.0.1\tprovider.example",
    "provider.example\n.evil.example",
    "127.0.0.1\x00.provider.example",
    "localhost\u3002",
    "[::1",
    "[127.0.0.1]",
    "[v1.127.0.0.1]",
    "-",
    "..",
]

ALLOWED_HOSTS = [
    "api.openai.com",
    "API.OpenAI.com",
    "my-resource.openai.azure.com",
    "eu_gateway.provider.example",
    "api.xn--mnchen-3ya.de",
    "provider.example.",
    "localhost.provider.example",
    "local.provider.example",
    "8.8.8.8",
    "1.1.1.1",
    "[2606:4700:4700::1111]",
    "[2001:4860:4860::8888]",
    "[::ffff:8.8.8.8]",
    "[64:ff9b::8.8.8.8]",
    "[2002:808:808::1]",
]


def test_url__the_list_of_targets__is_long() -> None:
    assert len(set(REFUSED_HOSTS)) >= 100


@pytest.mark.parametrize("host", REFUSED_HOSTS)
@pytest.mark.parametrize("url", ["http://{}/v1", "https://{}:8443/v1"])
def test_url__target_inside__is_refused(host: str, url: str) -> None:
    assert url_fault(url.format(host))


@pytest.mark.parametrize("host", ALLOWED_HOSTS)
@pytest.mark.parametrize("url", ["http://{}", "https://{}/v1", " https://{}:8443/v1/ "])
def test_url__public_host__is_allowed(host: str, url: str) -> None:
    assert url_fault(url.format(host)) == ""


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "Enter a URL such as"),
        ("api.openai.com/v1", "Enter a URL such as"),
        ("//api.openai.com/v1", "Enter a URL such as"),
        ("ftp://api.openai.com", "Enter a URL such as"),
        ("file:///etc/passwd", "Enter a URL such as"),
        ("gopher://127.0.0.1:6379/_x", "Enter a URL such as"),
        ("javascript:alert(1)", "Enter a URL such as"),
        ("https://", "Enter a URL such as"),
        ("https:///v1", "Enter a URL such as"),
        ("https://[::1", "Enter a URL such as"),
        ("https://a]b/", "Enter a URL such as"),
        ("https://ex℀mple.com/", "Enter a URL such as"),
        ("https://api.openai.com/v1\nHost: inside", "Enter a URL such as"),
        ("https://api.openai.com:port/", "port"),
        ("https://api.openai.com:99999/", "port"),
        ("https://api.openai.com:-1/", "port"),
        ("https://api.openai.com:0/", "port"),
        ("https://user@api.openai.com", "no user, password, query or fragment"),
        ("https://:secret@api.openai.com", "no user, password, query or fragment"),
        ("https://@127.0.0.1", "no user, password, query or fragment"),
        ("https://api.openai.com@127.0.0.1", "no user, password, query or fragment"),
        ("https://127.0.0.1\\@api.openai.com", "Enter a URL such as"),
        ("https://api.openai.com?", "no user, password, query or fragment"),
        ("https://api.openai.com?x=1", "no user, password, query or fragment"),
        ("https://api.openai.com/#127.0.0.1", "no user, password, query or fragment"),
        ("https://10.0.0.1", "10.0.0.1 is a private, local or metadata address"),
    ],
)
def test_url__fault__is_named(url: str, words: str) -> None:
    fault = url_fault(url)
    assert words in fault
    assert "secret" not in fault


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8001", "localhost", "[::1]", "sandbox", "10.0.0.1", "db.internal", "127.1"]
)
def test_url__private_where_the_deployment_allows_it__is_allowed(host: str) -> None:
    assert url_fault(f"http://{host}/v1")
    assert url_fault(f"http://{host}/v1", allow_private=True) == ""


@pytest.mark.parametrize("url", ["http://[::1", "ftp://sandbox", "http://u:p@sandbox", "http://①.0.0.1", "http://a b"])
def test_url__no_url_at_all__is_refused_even_there(url: str) -> None:
    assert url_fault(url, allow_private=True)


@given(st.text(max_size=30))
def test_url__any_text__is_answered(text: str) -> None:
    assert isinstance(url_fault(text), str)
    assert isinstance(url_fault(f"https://{text}/v1"), str)


@pytest.mark.parametrize(
    "address", ["", "api.openai.com", "1", "127.1", "0x7f000001", "300.1.1.1", "::1::", "8.8.8.8.", "٨.٨.٨.٨"]
)
def test_address__what_is_none__is_refused(address: str) -> None:
    assert not address_allowed(address)


PRIVATE = [ipaddress.ip_network(text) for text in ("10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "192.168.0.0/16")]


@given(st.sampled_from(PRIVATE).flatmap(lambda network: st.integers(int(network[0]), int(network[-1]))))
def test_address__private_in_any_wrapping__is_refused(number: int) -> None:
    inner = ipaddress.IPv4Address(number)
    wrapped = [0xFFFF << 32 | number, 0x64FF9B << 96 | number, 0x2002 << 112 | number << 80, number]
    for text in (str(inner), *(str(ipaddress.IPv6Address(each)) for each in wrapped)):
        assert not address_allowed(text)
        assert not address_allowed(f"{text}%eth0")
    for spelling in (str(number), hex(number), oct(number).replace("0o", "0"), inner.exploded):
        assert url_fault(f"http://{spelling}/")


@given(st.integers(0, 2**128 - 1) | st.integers(0x2000 << 112, (0x4000 << 112) - 1))
def test_address__allowed_ipv6__is_global_unicast(number: int) -> None:
    address = ipaddress.IPv6Address(number)
    if address_allowed(str(address)):
        assert not any([address.is_private, address.is_multicast, address.is_link_local, address.is_site_local])
