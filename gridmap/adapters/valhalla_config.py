"""The routing engine's configuration, and how each mode of ours is asked of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gridmap.domain.travel import TOP_SPEED_KMH, Mode

_COSTINGS = ("auto", "bicycle", "motor_scooter", "pedestrian")
_UNUSED_COSTINGS = (
    "auto_pedestrian",
    "bikeshare",
    "bus",
    "motorcycle",
    "multimodal",
    "taxi",
    "transit",
    "truck",
)
_FAR_M = 5_000_000.0
_MOST_LOCATIONS = 20_000

# A fixed speed for blue lights would be tempting, but with it the single-route search loses its sense of
# which roads are fast and returns worse ways than the matrix (44 of 120 trips on a real map, none without).
# Ferries have no time that can be promised, so nobody is sent over one.
COSTING: dict[Mode, tuple[str, dict[str, Any]]] = {
    Mode.FOOT: ("pedestrian", {"walking_speed": TOP_SPEED_KMH[Mode.FOOT], "exclude_ferries": True}),
    Mode.EBIKE: (
        "bicycle",
        {
            "bicycle_type": "City",
            "cycling_speed": TOP_SPEED_KMH[Mode.EBIKE],
            "use_roads": 0.8,
            "exclude_ferries": True,
        },
    ),
    Mode.CAR: ("auto", {"top_speed": TOP_SPEED_KMH[Mode.CAR], "exclude_ferries": True}),
    Mode.EMERGENCY_CAR: (
        "auto",
        {
            # Without "ignore_access": with it the engine drives over footpaths and up steps. Private lanes and
            # their gates are open to every car that goes there, here at no price.
            "ignore_oneways": True,
            "ignore_restrictions": True,
            "private_access_penalty": 0,
            "destination_only_penalty": 0,
            "gate_cost": 0,
            "gate_penalty": 0,
            "top_speed": TOP_SPEED_KMH[Mode.EMERGENCY_CAR],
            "exclude_ferries": True,
        },
    ),
}


def _hierarchy_limits(expand_m: float) -> dict[str, Any]:
    """How far from both ends the search still follows roads of the second and third class (the engine's own
    defaults, which it warns about when they are not spelled out)."""
    return {
        "max_up_transitions": {"1": 400, "2": 100},
        "expand_within_distance": {"0": 1e8, "1": expand_m, "2": 5000},
    }


def engine_config(tiles_dir: Path, socket_dir: Path, port: int) -> dict[str, Any]:
    """What the tile builder and the service read.

    Args:
        tiles_dir: where the graph tiles lie.
        socket_dir: a short folder for the service's own sockets (their paths may have 107 bytes).
        port: the service listens on this port of 127.0.0.1, and on nothing else.
    """

    def socket(name: str) -> str:
        return f"ipc://{socket_dir / f'valhalla-{port}-{name}'}"

    limits: dict[str, Any] = {
        costing: {
            "max_distance": _FAR_M,
            "max_locations": _MOST_LOCATIONS,
            "max_matrix_distance": _FAR_M,
            "max_matrix_location_pairs": 10 * _MOST_LOCATIONS,
        }
        for costing in _COSTINGS
    }
    # The engine refuses to start without limits for costings that we never ask for.
    for costing in _UNUSED_COSTINGS:
        limits[costing] = {
            "max_distance": 1.0,
            "max_locations": 2,
            "max_matrix_distance": 0.0,
            "max_matrix_location_pairs": 0,
        }
    limits["pedestrian"] |= {"min_transit_walking_distance": 1, "max_transit_walking_distance": 10_000}
    limits["pedestrian"] |= {"min_multimodal_walking_distance": 1, "max_multimodal_walking_distance": 10_000}
    limits |= {
        "status": {"allow_verbose": False},
        "skadi": {"max_shape": 750_000, "min_resample": 10.0},
        "isochrone": {
            "max_contours": 4,
            "max_time_contour": 120,
            "max_distance": 100_000.0,
            "max_locations": 1,
            "max_distance_contour": 200,
        },
        "trace": {
            "max_distance": 200_000.0,
            "max_gps_accuracy": 100.0,
            "max_search_radius": 100.0,
            "max_shape": 16_000,
            "max_alternates": 3,
            "max_alternates_shape": 100,
        },
        "centroid": {"max_distance": 200_000.0, "max_locations": 5},
        "max_exclude_locations": 50,
        "max_reachability": 100,
        "max_radius": 200,
        "max_timedep_distance": 500_000,
        "max_timedep_distance_matrix": 0,
        "max_alternates": 2,
        "max_exclude_polygons_length": 5_000_000,
        "max_exclude_polygons_vertices": 50_000,
        "max_distance_disable_hierarchy_culling": 0,
        "allow_hard_exclusions": True,
        "min_linear_cost_factor": 1,
        "max_linear_cost_edges": 50_000,
        "hierarchy_limits": {"allow_modification": False},
    }
    return {
        "logging": {"type": "std_out", "color": False},
        "mjolnir": {
            "tile_dir": str(tiles_dir),
            "max_cache_size": 500_000_000,
            "id_table_size": 1_300_000_000,
            "concurrency": 1,
            "hierarchy": True,
            "shortcuts": True,
            "include_driveways": True,
            "include_bicycle": True,
            "include_pedestrian": True,
            "include_driving": True,
            "reclassify_links": True,
            "data_processing": {"use_admin_db": False, "apply_country_overrides": True},
        },
        "additional_data": {},
        "loki": {
            "actions": [
                "locate",
                "route",
                "sources_to_targets",
                "isochrone",
                "trace_attributes",
                "status",
                "tile",
            ],
            # With it one far candidate makes the engine refuse the whole matrix.
            "use_connectivity": False,
            "service_defaults": {
                "radius": 0,
                "minimum_reachability": 0,
                "search_cutoff": 35_000,
                "node_snap_tolerance": 5,
                "street_side_tolerance": 5,
                "street_side_max_distance": 1000,
                "heading_tolerance": 60,
                # The bounds of the graph are read from tiles that hold every road.
                "mvt_min_zoom_road_class": [7, 7, 8, 11, 11, 12, 12, 12],
                "mvt_cache_min_zoom": 11,
                "mvt_max_age": "1800",
            },
            "service": {"proxy": socket("loki")},
        },
        "thor": {
            # Many people to one place: this gives the single route's times to the second. The faster
            # "timedistancematrix" searches backwards from the place and missed them for 3 in 4 cars, some by
            # minutes.
            "source_to_target_algorithm": "costmatrix",
            "service": {"proxy": socket("thor")},
            "clear_reserved_memory": False,
            "extended_search": False,
            "costmatrix": {
                "hierarchy_limits": _hierarchy_limits(20_000.0),
                "check_reverse_connection": True,
                # Opens streets that are for residents only where there is no other way.
                "allow_second_pass": True,
                "max_reserved_locations": 25,
            },
            "bidirectional_astar": {"hierarchy_limits": _hierarchy_limits(20_000.0)},
            "unidirectional_astar": {"hierarchy_limits": _hierarchy_limits(100_000.0)},
        },
        "odin": {
            "service": {"proxy": socket("odin")},
            "markup_formatter": {"markup_enabled": False},
        },
        "meili": {
            "mode": "auto",
            "customizable": ["mode", "search_radius", "gps_accuracy"],
            "verbose": False,
            "default": {
                "sigma_z": 4.07,
                "gps_accuracy": 5.0,
                "beta": 3,
                "max_route_distance_factor": 5,
                "max_route_time_factor": 5,
                "max_search_radius": 100,
                "breakage_distance": 2000,
                "interpolation_distance": 10,
                "search_radius": 50,
                "geometry": False,
                "route": True,
                "turn_penalty_factor": 0,
            },
            "service": {"proxy": socket("meili")},
            "grid": {"size": 500, "cache_size": 100_240},
        },
        "httpd": {
            "service": {
                "listen": f"tcp://127.0.0.1:{port}",
                "loopback": socket("loopback"),
                "interrupt": socket("interrupt"),
                "drain_seconds": 2,
                "shutdown_seconds": 1,
                "timeout_seconds": 30,
            }
        },
        "service_limits": limits,
    }
