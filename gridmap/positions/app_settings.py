"""What an app must be told to send here: the values to type, and the text of the QR code that it reads by itself."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from urllib.parse import quote, urlencode

# A fix every ten seconds while moving is what dispatch needs, and what a battery bears for a shift.
INTERVAL_S = 10
OWNTRACKS_HTTP_MODE = 3
# "Significant" sends too seldom to find the nearest; 2 is "move".
OWNTRACKS_MONITORING_MOVE = 2


@dataclass(frozen=True)
class AppSettings:
    """Values as the app's own screens name them; None where it has no such field.

    `text` is an address that the app opens: OwnTracks by owntracks.org/booklet/features/remoteconfig, Traccar Client by
    its "scan QR code".
    """

    app: str
    url: str
    mode: str
    username: str | None
    password: str | None
    identifier: str | None
    text: str


def app_settings(kind: str, site_url: str, name: str, secret: str) -> AppSettings:
    """For a device of kind "owntracks" or "osmand". `site_url` has no slash at its end."""
    return _owntracks(site_url, name, secret) if kind == "owntracks" else _traccar(site_url, secret)


def _owntracks(site_url: str, name: str, secret: str) -> AppSettings:
    url = f"{site_url}/api/trackers/owntracks"
    configuration = {
        "_type": "configuration",
        "mode": OWNTRACKS_HTTP_MODE,
        "url": url,
        "auth": True,
        "username": name,
        "password": secret,
        "deviceId": "duty",
        "tid": name[-2:],
        "monitoring": OWNTRACKS_MONITORING_MOVE,
        "locatorInterval": INTERVAL_S,
        "moveModeLocatorInterval": INTERVAL_S,
    }
    coded = base64.b64encode(json.dumps(configuration, separators=(",", ":")).encode()).decode()
    text = "owntracks:///config?inline=" + quote(coded, safe="")
    return AppSettings("OwnTracks", url, "HTTP", name, secret, None, text)


def _traccar(site_url: str, secret: str) -> AppSettings:
    url = f"{site_url}/api/trackers/osmand"
    values = {"id": secret, "accuracy": "highest", "interval": INTERVAL_S, "distance": 0, "buffer": "true"}
    return AppSettings("Traccar Client", url, "JSON", None, None, secret, f"{url}?{urlencode(values)}")
