"""Contacts, encrypted at rest with a key derived from the site's secret."""

from __future__ import annotations

import base64
import json

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gridmap.errors import Misconfigured


class Vault:
    """Seals and opens small records. Who lacks the site's secret key has only noise."""

    def __init__(self, secret_key: bytes) -> None:
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"gridmap contacts v1").derive(
            secret_key
        )
        self._box = Fernet(base64.urlsafe_b64encode(derived))

    def seal(self, record: dict[str, str]) -> bytes:
        return self._box.encrypt(json.dumps(record, ensure_ascii=False).encode())

    def open(self, sealed: bytes) -> dict[str, str]:
        """Raises Misconfigured("vault_key_wrong") when the data was sealed under another secret key."""
        try:
            record: dict[str, str] = json.loads(self._box.decrypt(sealed))
        except InvalidToken as error:
            raise Misconfigured("vault_key_wrong") from error
        return record
