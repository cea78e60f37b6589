"""Under which names and addresses this machine can be reached."""

from __future__ import annotations

import fcntl
import ipaddress
import socket
import struct
from pathlib import Path
from urllib.parse import urlsplit

from gridmap.settings import Settings

_SIOCGIFADDR = 0x8915
_IF_INET6 = Path("/proc/net/if_inet6")
_GLOBAL_SCOPE = "00"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def list_addresses() -> list[Address]:
    """Every address of this machine that another one could use, and loopback last."""
    found = {*_list_ipv4(), *_list_ipv6()}
    loopback: list[Address] = [ipaddress.IPv4Address("127.0.0.1"), ipaddress.IPv6Address("::1")]
    rest = sorted(found.difference(loopback), key=lambda address: (address.version, int(address)))
    return [*rest, *loopback]


def list_names(settings: Settings) -> list[str]:
    """Host names people may type: the machine's own, the site's public one, localhost."""
    host = socket.gethostname()
    names = [host, f"{host.split('.')[0]}.local", "localhost"]
    public = urlsplit(settings.public_url or "").hostname
    if public:
        names.insert(0, public)
    return [name for name in dict.fromkeys(names) if not _is_address(name)]


def web_url(settings: Settings) -> str:
    """The address to print: the public one, or where the server listens."""
    if settings.public_url:
        return settings.public_url
    host = settings.host
    if host in ("", "0.0.0.0", "::"):
        host = str(list_addresses()[0])
    if ":" in host:
        host = f"[{host}]"
    scheme = "http" if settings.tls_mode == "off" else "https"
    return f"{scheme}://{host}:{settings.port}"


def local_url(settings: Settings) -> str:
    """Where a process on this machine reaches the web server."""
    host = "127.0.0.1" if settings.host in ("", "0.0.0.0", "::", "localhost") else settings.host
    host = f"[{host}]" if ":" in host else host
    return f"{'http' if settings.tls_mode == 'off' else 'https'}://{host}:{settings.port}"


def is_port_free(host: str, port: int) -> bool:
    """True when a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def find_free_port(host: str = "127.0.0.1") -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _list_ipv4() -> list[Address]:
    found: list[Address] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            try:
                answer = fcntl.ioctl(probe, _SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
            except OSError:
                # An interface without an IPv4 address.
                continue
            found.append(ipaddress.IPv4Address(answer[20:24]))
    return found


def _list_ipv6() -> list[Address]:
    if not _IF_INET6.exists():
        return []
    rows = [line.split() for line in _IF_INET6.read_text().splitlines()]
    return [ipaddress.IPv6Address(bytes.fromhex(row[0])) for row in rows if row[3] == _GLOBAL_SCOPE]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
