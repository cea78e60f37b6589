"""The pages: built shells that hold no data, and a few small ones of the server's own."""

from __future__ import annotations

from pathlib import Path

from apiflask import APIBlueprint
from flask import Response, current_app, make_response, render_template, request, send_from_directory

from gridmap.errors import NotFound
from gridmap.serve.tls import ca_pem
from web.guards import public
from web.icons import SIZES_PX, icon_png
from web.site import site

BUILT = Path(__file__).resolve().parents[1] / "static" / "dist"
_ONE_YEAR_S = 31_536_000
_ONE_DAY_S = 86_400

pages = APIBlueprint("pages", __name__, enable_openapi=False)


@pages.get("/")
@public
def console() -> Response:
    return _shell("console")


@pages.get("/login")
@public
def login() -> Response:
    return _shell("login")


@pages.get("/patrol")
@public
def patrol() -> Response:
    return _shell("patrol")


@pages.get("/patrol/worker.js")
@public
def patrol_worker() -> Response:
    """The phone page's service worker. It may speak for /patrol itself, which lies above its own folder."""
    response = send_from_directory(BUILT, "patrol-worker.js", mimetype="text/javascript")
    response.headers["Service-Worker-Allowed"] = "/patrol"
    response.headers["Cache-Control"] = "no-cache"
    return response


@pages.get("/patrol/manifest.webmanifest")
@public
def patrol_manifest() -> Response:
    """What a phone needs to put the page on its home screen."""
    response = make_response(
        {
            "id": "/patrol",
            "name": "gridmap 外勤",
            "short_name": "外勤",
            "start_url": "/patrol",
            "scope": "/patrol",
            "display": "standalone",
            "lang": "zh-CN",
            "background_color": "#ffffff",
            "theme_color": "#0b66b8",
            "icons": [
                {"src": "/patrol/icon.svg", "sizes": "any", "type": "image/svg+xml", "purpose": "any"},
                *(_icon(size_px) for size_px in SIZES_PX),
                _icon(max(SIZES_PX), "maskable"),
            ],
        }
    )
    response.mimetype = "application/manifest+json"
    return response


@pages.get("/patrol/icon.svg")
@public
def patrol_icon() -> Response:
    return send_from_directory(BUILT, "icon.svg", mimetype="image/svg+xml")


def _icon(size_px: int, purpose: str = "any") -> dict[str, str]:
    name = f"icon-{size_px}.png" if purpose == "any" else f"{purpose}-{size_px}.png"
    return {
        "src": f"/patrol/{name}",
        "sizes": f"{size_px}x{size_px}",
        "type": "image/png",
        "purpose": purpose,
    }


@pages.get("/patrol/icon-<int:size_px>.png")
@public
def patrol_icon_png(size_px: int) -> Response:
    """The icon in a size that the manifest or an iPhone asks for."""
    return _png(size_px, maskable=False)


@pages.get("/patrol/maskable-<int:size_px>.png")
@public
def patrol_icon_maskable(size_px: int) -> Response:
    """The same for launchers that cut it to their own shape."""
    return _png(size_px, maskable=True)


def _png(size_px: int, *, maskable: bool) -> Response:
    if size_px not in SIZES_PX:
        raise NotFound("icon_not_found", sizes=SIZES_PX)
    response = Response(icon_png(size_px, maskable=maskable), mimetype="image/png")
    response.headers["Cache-Control"] = f"public, max-age={_ONE_DAY_S}"
    return response


@pages.get("/admin")
@public
def admin() -> Response:
    return _shell("admin")


@pages.get("/risk")
@public
def risk() -> Response:
    return _shell("analyst")


@pages.get("/static/dist/<path:name>")
@public
def built_file(name: str) -> Response:
    """A file of the build. Names under assets/ carry a digest of their content, so they never change."""
    response = send_from_directory(BUILT, name)
    if name.startswith("assets/"):
        response.headers["Cache-Control"] = f"public, max-age={_ONE_YEAR_S}, immutable"
    else:
        response.headers["Cache-Control"] = "no-cache"
    return response


@pages.get("/trust")
@public
def trust() -> Response:
    """How a phone learns to trust the site's own certificate authority."""
    has_ca = True
    try:
        ca_pem(site().settings)
    except NotFound:
        has_ca = False
    return _own_page("trust.html", has_ca=has_ca, name=site().settings.name)


@pages.get("/trust/ca.crt")
@public
def trust_certificate() -> Response:
    response = Response(ca_pem(site().settings), mimetype="application/x-x509-ca-cert")
    response.headers["Content-Disposition"] = 'attachment; filename="gridmap-ca.crt"'
    return response


@pages.get("/api/docs")
@public
def docs() -> Response:
    """The API's description as a page, from our own server alone."""
    return _own_page("docs.html", spec=current_app.json.loads(current_app.json.dumps(_spec())))


@pages.get("/api/openapi.json")
@public
def openapi() -> Response:
    return make_response(_spec())


def _spec() -> dict[str, object]:
    spec: dict[str, object] = current_app._get_spec()  # type: ignore[attr-defined]
    return spec


def _shell(name: str) -> Response:
    if not (BUILT / name / "index.html").is_file():
        return _own_page("not_built.html", status=503, name=name)
    response = send_from_directory(BUILT / name, "index.html")
    response.headers["Cache-Control"] = "no-cache"
    return response


def _own_page(template: str, *, status: int = 200, **values: object) -> Response:
    is_zh = (request.accept_languages.best_match(["zh", "en"]) or site().settings.locale) == "zh"
    response = make_response(render_template(template, is_zh=is_zh, **values), status)
    response.headers["Cache-Control"] = "no-cache"
    return response
