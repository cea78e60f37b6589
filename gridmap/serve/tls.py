"""Certificates for HTTPS: the site's own files, or a site CA that we make and phones are told to trust."""

from __future__ import annotations

import ipaddress
import os
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gridmap.clock import Clock
from gridmap.errors import Misconfigured, NotFound
from gridmap.serve.addresses import list_addresses, list_names
from gridmap.settings import Settings

_CA_DAYS = 3650
# Apple's systems refuse a leaf that is good for more than 825 days, also under a CA the user trusts.
_LEAF_DAYS = 390
_RENEW_DAYS = 30
_BACKDATED = timedelta(hours=1)


@dataclass(frozen=True)
class TlsFiles:
    """What the web server is given; `changed` differs after every renewal."""

    certificate: Path
    key: Path

    @property
    def changed(self) -> tuple[int, int]:
        return (self.certificate.stat().st_mtime_ns, self.key.stat().st_mtime_ns)


def ensure_tls(settings: Settings, clock: Clock) -> TlsFiles | None:
    """Certificate and key as the settings ask, made or renewed where they are ours; None without TLS.

    Raises Misconfigured: "tls_files_missing", "tls_files_unusable", "tls_certificate_expired".
    """
    if settings.tls_mode == "off":
        return None
    if settings.tls_mode == "files":
        return _check_site_files(settings, clock)
    folder = settings.data_dir / "tls"
    folder.mkdir(parents=True, exist_ok=True)
    ca_key, ca = _ensure_ca(folder, settings, clock)
    files = TlsFiles(folder / "site.crt", folder / "site.key")
    if not _is_good_leaf(files, ca, _wanted_names(settings), clock):
        _issue_leaf(files, ca_key, ca, _wanted_names(settings), clock)
    return files


def ca_pem(settings: Settings) -> bytes:
    """The site CA's certificate, for a phone to trust. Raises NotFound("site_ca_missing")."""
    path = ca_path(settings)
    if settings.tls_mode != "site_ca" or not path.exists():
        raise NotFound("site_ca_missing")
    return path.read_bytes()


def ca_path(settings: Settings) -> Path:
    return settings.data_dir / "tls" / "ca.crt"


def _check_site_files(settings: Settings, clock: Clock) -> TlsFiles:
    if settings.tls_cert is None or settings.tls_key is None:
        raise Misconfigured("tls_files_missing", needs=["tls_cert", "tls_key"])
    for path in (settings.tls_cert, settings.tls_key):
        if not path.is_file():
            raise Misconfigured("tls_files_missing", path=str(path))
    try:
        # Tells a key that does not belong to the certificate, too.
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
            settings.tls_cert, settings.tls_key
        )
        certificate = x509.load_pem_x509_certificate(settings.tls_cert.read_bytes())
    except (ssl.SSLError, ValueError, OSError) as error:
        raise Misconfigured("tls_files_unusable", reason=str(error).splitlines()[0]) from None
    if certificate.not_valid_after_utc <= clock.now():
        raise Misconfigured("tls_certificate_expired", expired_at=certificate.not_valid_after_utc.isoformat())
    return TlsFiles(settings.tls_cert, settings.tls_key)


def _ensure_ca(
    folder: Path, settings: Settings, clock: Clock
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key_path, path = folder / "ca.key", folder / "ca.crt"
    if path.exists() and key_path.exists():
        key = serialization.load_pem_private_key(key_path.read_bytes(), None)
        ca = x509.load_pem_x509_certificate(path.read_bytes())
        if isinstance(key, ec.EllipticCurvePrivateKey) and ca.not_valid_after_utc > clock.now():
            return key, ca
    fresh = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{settings.name} site CA")])
    ca = (
        _builder(name, name, fresh.public_key(), clock.now(), _CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(fresh.public_key()), critical=False)
        .sign(fresh, hashes.SHA256())
    )
    _write_secret(key_path, _pem(fresh))
    _replace(path, ca.public_bytes(serialization.Encoding.PEM), 0o644)
    return fresh, ca


def _issue_leaf(
    files: TlsFiles, ca_key: ec.EllipticCurvePrivateKey, ca: x509.Certificate, names: set[str], clock: Clock
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gridmap")])
    leaf = (
        _builder(subject, ca.subject, key.public_key(), clock.now(), _LEAF_DAYS)
        .add_extension(
            x509.SubjectAlternativeName([_general(name) for name in sorted(names)]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
        )
        .sign(ca_key, hashes.SHA256())
    )
    _write_secret(files.key, _pem(key))
    chain = leaf.public_bytes(serialization.Encoding.PEM) + ca.public_bytes(serialization.Encoding.PEM)
    _replace(files.certificate, chain, 0o644)


def _is_good_leaf(files: TlsFiles, ca: x509.Certificate, names: set[str], clock: Clock) -> bool:
    if not (files.certificate.exists() and files.key.exists()):
        return False
    leaf = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    if leaf.not_valid_after_utc - clock.now() < timedelta(days=_RENEW_DAYS):
        return False
    key = serialization.load_pem_private_key(files.key.read_bytes(), None)
    if key.public_key() != leaf.public_key():
        return False
    try:
        leaf.verify_directly_issued_by(ca)
    except Exception:  # a wrong issuer or signature has a type of its own for each way of being wrong
        return False
    return names <= _names_of(leaf)


def _names_of(leaf: x509.Certificate) -> set[str]:
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = names.get_values_for_type(x509.IPAddress)
    return {*names.get_values_for_type(x509.DNSName), *(str(address) for address in addresses)}


def _wanted_names(settings: Settings) -> set[str]:
    return {*list_names(settings), *(str(address) for address in list_addresses())}


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        # A phone's clock may be a little behind ours.
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + timedelta(days=days))
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write_secret(path: Path, content: bytes) -> None:
    _replace(path, content, 0o600)


def _replace(path: Path, content: bytes, mode: int) -> None:
    fresh = path.with_suffix(path.suffix + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(content)
    fresh.replace(path)
