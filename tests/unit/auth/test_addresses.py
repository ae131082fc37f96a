"""Who the client is behind proxies, and who may come in."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.auth.addresses import AddressRules, Networks, client_address

PROXIES = Networks(["10.0.0.0/8", "fd00::/8"])
_addresses = st.ip_addresses().map(str)


def rules(allow: list[str] | None = None, deny: list[str] | None = None) -> AddressRules:
    return AddressRules(allow=Networks(allow or []), deny=Networks(deny or []))


@given(st.lists(st.ip_addresses(v=4), max_size=5), st.integers(0, 32), st.ip_addresses(v=4))
def test_a_network_holds_what_ipaddress_says(
    starts: list[ipaddress.IPv4Address], length: int, address: ipaddress.IPv4Address
) -> None:
    networks = [ipaddress.ip_network((start, length), strict=False) for start in starts]
    expected = any(address in network for network in networks)
    assert (str(address) in Networks(str(network) for network in networks)) is expected


@pytest.mark.parametrize("address", ["192.0.2.7", "::ffff:192.0.2.7", " 192.0.2.7 ", "2001:DB8::1", "2001:db8:0::1"])
def test_an_address_is_found_in_any_spelling(address: str) -> None:
    assert address in Networks(["192.0.2.0/24", "2001:db8::/32"])


@pytest.mark.parametrize("name", ["", "x", "10.0.0.1/8", "10.0.0.0/33", "10.0.0", "localhost", "*"])
def test_what_is_no_network_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="addresses"):
        Networks([name])


@given(st.text() | st.sampled_from(["10.0.0.256", "10.0.0.1.", "::1::", "9" * 100_000, "010.0.0.1"]))
def test_garbage_lies_in_no_network(text: str) -> None:
    everything = Networks(["0.0.0.0/0", "::/0"])
    try:
        ipaddress.ip_address(text)
    except ValueError:
        assert text not in everything


def test_no_lists_let_everybody_in() -> None:
    assert all(rules().allows(address) for address in ("192.0.2.1", "::1", "", "garbage"))


def test_an_allow_list_lets_only_its_networks_in() -> None:
    listed = rules(allow=["192.0.2.0/24", "::1"])
    assert [address for address in ("192.0.2.1", "192.0.3.1", "::1", "::2", "", "x") if listed.allows(address)] == [
        "192.0.2.1",
        "::1",
    ]


def test_a_deny_list_keeps_only_its_networks_out() -> None:
    listed = rules(deny=["192.0.2.0/24"])
    assert [address for address in ("192.0.2.1", "192.0.3.1", "::1", "") if listed.allows(address)] == [
        "192.0.3.1",
        "::1",
        "",
    ]


def test_the_deny_list_goes_first() -> None:
    listed = rules(allow=["192.0.2.0/24"], deny=["192.0.2.7"])
    assert listed.allows("192.0.2.6")
    assert not listed.allows("192.0.2.7")


def test_an_unreadable_address_does_not_slip_past_a_deny_list() -> None:
    assert not rules(deny=["192.0.2.0/24"]).allows("garbage")


def test_the_peer_of_a_unix_socket_has_a_name_in_lists() -> None:
    assert rules(allow=["unix"]).allows("")
    assert not rules(deny=["unix"]).allows("")
    assert not rules(allow=["unix"]).allows("192.0.2.1")


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "client"),
    [
        ("192.0.2.1", None, "192.0.2.1"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", "192.0.2.1, 10.0.0.2", "192.0.2.1"),
        ("10.0.0.1", "192.0.2.1,10.0.0.3 ,  10.0.0.2", "192.0.2.1"),
        ("fd00::1", "2001:DB8::1", "2001:db8::1"),
        ("::ffff:10.0.0.1", "::ffff:192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", "192.0.2.1:4711", "192.0.2.1"),
        ("10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
        ("10.0.0.1", "[2001:db8::1]", "2001:db8::1"),
    ],
)
def test_the_client_is_the_first_stranger_from_the_right(peer: str, forwarded_for: str | None, client: str) -> None:
    assert client_address(peer, forwarded_for, PROXIES) == client


def test_a_stranger_cannot_name_another_address() -> None:
    assert client_address("192.0.2.1", "198.51.100.1", PROXIES) == "192.0.2.1"
    assert client_address("192.0.2.1", "10.0.0.9", PROXIES) == "192.0.2.1"


def test_what_a_stranger_put_on_the_left_is_not_believed() -> None:
    assert client_address("10.0.0.1", "127.0.0.1, 10.0.0.9, 192.0.2.1, 10.0.0.2", PROXIES) == "192.0.2.1"


def test_without_proxies_the_header_is_not_read() -> None:
    assert client_address("10.0.0.1", "192.0.2.1", Networks()) == "10.0.0.1"


def test_if_all_are_proxies_the_leftmost_is_the_client() -> None:
    assert client_address("10.0.0.1", "10.0.0.3, 10.0.0.2", PROXIES) == "10.0.0.3"


@pytest.mark.parametrize("hop", ["unknown", "_hidden", "", "10.0.0.256", "[", "]:", ":", "\x00", "9" * 100_000])
def test_at_something_unreadable_the_last_readable_proxy_stands_for_the_client(hop: str) -> None:
    assert client_address("10.0.0.1", f"192.0.2.1, {hop}, 10.0.0.2", PROXIES) == "10.0.0.2"
    assert client_address("10.0.0.1", hop, PROXIES) == "10.0.0.1"


def test_a_unix_socket_is_believed_only_if_it_is_named() -> None:
    assert client_address("", "192.0.2.1", Networks(["unix"])) == "192.0.2.1"
    assert client_address("", "192.0.2.1", PROXIES) == ""
    assert client_address("", None, Networks(["unix"])) == ""


def test_an_endless_chain_is_cut() -> None:
    assert client_address("10.0.0.1", "192.0.2.1," + "10.0.0.2," * 100_000 + "10.0.0.3", PROXIES) == "10.0.0.2"


@given(st.text(), st.none() | st.text() | st.lists(_addresses | st.text(max_size=5)).map(",".join))
def test_nothing_raises(peer: str, forwarded_for: str | None) -> None:
    for proxies in (Networks(), PROXIES, Networks(["0.0.0.0/0", "::/0", "unix"])):
        client_address(peer, forwarded_for, proxies)


@given(st.text() | _addresses, _addresses)
def test_a_named_proxy_decides_who_the_client_is(written: str, client: str) -> None:
    address = client_address("10.0.0.1", f"{written}, {client}", PROXIES)
    stranger = str(getattr(ipaddress.ip_address(client), "ipv4_mapped", None) or client)
    assert address == stranger or stranger in PROXIES
