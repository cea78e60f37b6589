"""The site CA: a browser-grade check of what it issues, its renewal, and refusal of bad site files."""

from __future__ import annotations

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from gridmap.clock import FixedClock, SystemClock
from gridmap.errors import Misconfigured, NotFound
from gridmap.serve.addresses import list_addresses, local_url, web_url
from gridmap.serve.tls import TlsFiles, ca_path, ca_pem, ensure_tls
from gridmap.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path, tls_mode="site_ca", public_url="https://grid.example.cn:8420", host="0.0.0.0"
    )


def issued(settings: Settings) -> TlsFiles:
    files = ensure_tls(settings, SystemClock())
    assert files is not None
    return files


def handshake(files: TlsFiles, ca: Path, name: str) -> None:
    """A real TLS handshake over a socket pair, the client checking chain and name."""
    server_context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_context.load_cert_chain(files.certificate, files.key)
    client_context = ssl.create_default_context(cafile=str(ca))
    left, right = socket.socketpair()

    def serve() -> None:
        try:
            with server_context.wrap_socket(left, server_side=True) as wrapped:
                wrapped.recv(1)
        except (ssl.SSLError, ConnectionError):
            left.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client_context.wrap_socket(right, server_hostname=name) as wrapped:
            wrapped.send(b"x")
    finally:
        right.close()
        thread.join()


def test_a_client_that_trusts_the_ca_trusts_every_name_and_address(settings: Settings) -> None:
    files = issued(settings)
    names = ["localhost", "grid.example.cn", socket.gethostname(), *map(str, list_addresses())]
    for name in names:
        handshake(files, ca_path(settings), name)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(files, ca_path(settings), "elsewhere.example")


def test_keys_are_for_their_owner_only(settings: Settings) -> None:
    files = issued(settings)
    for path in (files.key, settings.data_dir / "tls/ca.key"):
        assert path.stat().st_mode & 0o777 == 0o600
    assert b"PRIVATE" not in ca_pem(settings)
    assert b"PRIVATE" not in files.certificate.read_bytes()


def test_second_start_keeps_the_certificate(settings: Settings) -> None:
    before = issued(settings).changed
    assert issued(settings).changed == before


def test_leaf_is_renewed_in_time_under_the_same_ca(settings: Settings) -> None:
    files = issued(settings)
    ca, before = ca_pem(settings), files.certificate.read_bytes()
    later = FixedClock(datetime.now(UTC) + timedelta(days=370))
    assert ensure_tls(settings, later) == files
    assert files.certificate.read_bytes() != before
    assert ca_pem(settings) == ca
    leaf = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    lifetime = leaf.not_valid_after_utc - leaf.not_valid_before_utc
    assert lifetime < timedelta(days=398)


def test_a_new_public_name_brings_a_new_leaf(settings: Settings) -> None:
    issued(settings)
    renamed = settings.model_copy(update={"public_url": "https://new.example.cn"})
    handshake(issued(renamed), ca_path(settings), "new.example.cn")


def test_ca_may_sign_no_further_ca(settings: Settings) -> None:
    issued(settings)
    ca = x509.load_pem_x509_certificate(ca_pem(settings))
    limits = ca.extensions.get_extension_for_class(x509.BasicConstraints)
    assert limits.critical
    assert limits.value.ca
    assert limits.value.path_length == 0


def test_without_tls_there_is_no_ca(tmp_path: Path) -> None:
    plain = Settings(data_dir=tmp_path)
    assert ensure_tls(plain, SystemClock()) is None
    with pytest.raises(NotFound):
        ca_pem(plain)


def test_site_files_are_used_and_checked(settings: Settings, tmp_path: Path) -> None:
    ours = issued(settings)
    site = settings.model_copy(
        update={"tls_mode": "files", "tls_cert": ours.certificate, "tls_key": ours.key}
    )
    assert ensure_tls(site, SystemClock()) == ours
    with pytest.raises(Misconfigured) as expired:
        ensure_tls(site, FixedClock(datetime.now(UTC) + timedelta(days=1000)))
    assert expired.value.code == "tls_certificate_expired"
    wrong_key = site.model_copy(update={"tls_key": tmp_path / "tls/ca.key"})
    with pytest.raises(Misconfigured) as unusable:
        ensure_tls(wrong_key, SystemClock())
    assert unusable.value.code == "tls_files_unusable"
    missing = site.model_copy(update={"tls_key": tmp_path / "nowhere"})
    with pytest.raises(Misconfigured) as gone:
        ensure_tls(missing, SystemClock())
    assert gone.value.code == "tls_files_missing"


def test_printed_and_local_addresses(settings: Settings) -> None:
    assert web_url(settings) == "https://grid.example.cn:8420"
    assert local_url(settings) == "https://127.0.0.1:8420"
    v6 = Settings(host="::1", port=80, data_dir=settings.data_dir)
    assert web_url(v6) == local_url(v6) == "http://[::1]:80"
