"""What a deployment may set. Built once at the edge and handed down; nothing is read at import."""

from __future__ import annotations

import hashlib
import os
import secrets
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from gridmap.errors import Misconfigured

CONFIG_FILE_VARIABLE = "GRIDMAP_CONFIG"
_SECRET_KEY_BYTES = 48


def checkout_key() -> str:
    """Eight hex digits that tell this checkout (or installed copy) from every other on the machine."""
    home = Path(__file__).resolve().parent
    return hashlib.sha256(str(home).encode()).hexdigest()[:8]


def default_data_dir() -> Path:
    """/var/lib/gridmap/<key> for root, the user's data home otherwise: never inside the checkout."""
    if os.geteuid() == 0:
        return Path("/var/lib/gridmap") / checkout_key()
    data_home = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
    return data_home / "gridmap" / checkout_key()


def default_runtime_dir() -> Path:
    """A short folder for sockets: a Unix socket path holds 107 bytes at most."""
    return Path(f"/tmp/gridmap-{os.geteuid()}-{checkout_key()}")


def _default_web_workers() -> int:
    """One a core, but not all of a large machine: the database wants cores too."""
    return min(os.cpu_count() or 1, 4)


class Settings(BaseSettings):
    """A deployment. `GRIDMAP_<NAME>` variables win over the TOML file that GRIDMAP_CONFIG names."""

    model_config = SettingsConfigDict(
        env_prefix="GRIDMAP_", extra="forbid", frozen=True, ignored_types=(cached_property,)
    )

    name: str = "gridmap"
    demo: bool = False

    database_url_app: SecretStr | None = None
    database_url_system: SecretStr | None = None
    database_url_owner: SecretStr | None = None
    embedded_fast: bool = Field(False, description="throwaway clusters of tests: no fsync")

    data_dir: Path = Field(default_factory=default_data_dir)
    runtime_dir: Path = Field(default_factory=default_runtime_dir)

    timezone: str = "Asia/Shanghai"
    local_crs: str = Field("EPSG:4547", description="where metres are measured")
    locale: Literal["zh", "en"] = "zh"

    host: str = "127.0.0.1"
    port: int = Field(8420, ge=0, le=65535)
    public_url: str | None = None
    web_workers: int = Field(default_factory=_default_web_workers, ge=1, le=64)
    tls_mode: Literal["off", "site_ca", "files"] = "off"
    tls_cert: Path | None = None
    tls_key: Path | None = None
    trusted_proxies: int = Field(0, ge=0, le=5, description="reverse proxies in front of the web")

    valhalla_port: int = Field(8421, ge=1, le=65535)
    valhalla_url: str | None = None

    session_hours: int = Field(12, ge=1, le=24 * 30)
    positions_kept_days: int = Field(7, ge=1, le=31)
    mqtt_url: SecretStr | None = Field(
        None, description="broker of OwnTracks phones: mqtt(s)://user:password@host"
    )
    mqtt_ca: Path | None = Field(None, description="certificate authority of the broker, if not a public one")
    positions_shards: int = Field(
        1, ge=1, le=16, description="positions processes, each with its share of the units"
    )
    offer_expires_s: int = Field(60, ge=10, le=3600)
    message_hook: str | None = Field(
        None, description="command or address that sends a text or places a call"
    )
    message_hook_secret: SecretStr | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        sources: tuple[PydanticBaseSettingsSource, ...] = (init_settings, env_settings)
        config_file = os.environ.get(CONFIG_FILE_VARIABLE)
        if config_file:
            sources += (TomlConfigSettingsSource(settings_cls, toml_file=Path(config_file)),)
        return sources

    @property
    def embedded(self) -> bool:
        """True when gridmap runs its own private cluster."""
        return self.database_url_app is None

    @property
    def basemap_dir(self) -> Path:
        return self.data_dir / "basemap"

    @property
    def routing_dir(self) -> Path:
        return self.data_dir / "routing"

    @property
    def quarantine_dir(self) -> Path:
        return self.data_dir / "quarantine"

    @property
    def routing_url(self) -> str:
        return self.valhalla_url or f"http://127.0.0.1:{self.valhalla_port}"

    @cached_property
    def secret_key(self) -> bytes:
        """The site's secret, made on first use, readable by its owner only."""
        return _read_or_make_secret(self.data_dir / "secret_key")


def _read_or_make_secret(path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        secret = path.read_bytes().strip()
        if len(secret) < _SECRET_KEY_BYTES:
            raise Misconfigured("secret_key_too_short", path=str(path)) from None
        return secret
    with os.fdopen(descriptor, "wb") as handle:
        secret = secrets.token_urlsafe(_SECRET_KEY_BYTES).encode()
        handle.write(secret)
    return secret


def load_settings(**overrides: object) -> Settings:
    """Settings from variables and the TOML file.

    Raises Misconfigured("settings_invalid") that names each wrong field, and never its value.
    """
    config_file = os.environ.get(CONFIG_FILE_VARIABLE)
    if config_file and not Path(config_file).is_file():
        raise Misconfigured("config_file_missing", path=config_file)
    try:
        settings = Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        fields = sorted({".".join(str(part) for part in fault["loc"]) for fault in error.errors()})
        raise Misconfigured("settings_invalid", fields=fields) from None
    urls = (
        settings.database_url_app,
        settings.database_url_system,
        settings.database_url_owner,
    )
    if any(urls) and not (settings.database_url_app and settings.database_url_system):
        raise Misconfigured("database_urls_incomplete", needs=["database_url_app", "database_url_system"])
    return settings
