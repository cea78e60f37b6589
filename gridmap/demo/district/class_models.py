"""The numbers behind the history: where classes happen, how often, at what hours and in which season."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """Classes that share a geography. The five weights say what draws them."""

    key: str
    homes: float
    shops: float
    works: float
    main_streets: float
    small_streets: float
    hot_share: float
    hot_radius_m: float


FAMILIES = (
    Family("property", 0.55, 0.25, 0.06, 0.04, 0.10, 0.38, 330),
    Family("order", 0.25, 0.50, 0.05, 0.12, 0.08, 0.42, 260),
    Family("traffic", 0.02, 0.06, 0.02, 0.75, 0.15, 0.30, 280),
    Family("appearance", 0.25, 0.15, 0.04, 0.21, 0.35, 0.22, 420),
    Family("street_order", 0.05, 0.55, 0.02, 0.28, 0.10, 0.35, 240),
    Family("utilities", 0.40, 0.10, 0.08, 0.27, 0.15, 0.18, 500),
    Family("people", 0.82, 0.08, 0.04, 0.02, 0.04, 0.16, 450),
    Family("environment", 0.15, 0.10, 0.40, 0.10, 0.25, 0.28, 520),
)


@dataclass(frozen=True)
class ClassModel:
    """Behaviour of one class. `weight` is its part of all incidents; `day` names its course over the day."""

    key: str
    family: str
    weight: float
    day: str
    season: str = "flat"
    branching: float = 0.0
    near_m: float = 110.0
    near_days: float = 5.0


# One row per class of the vocabulary that the history holds.
CLASS_MODELS = tuple(
    ClassModel(*row)
    for row in (
        ("S1.01", "utilities", 0.012, "evening", "dry"),
        ("S1.02", "utilities", 0.008, "meals"),
        ("S1.03", "people", 0.020, "office"),
        ("S1.04", "people", 0.004, "office", "rain"),
        ("S1.05", "environment", 0.002, "office"),
        ("S1.06", "utilities", 0.014, "commute", "rain"),
        ("S1.07", "utilities", 0.012, "flat", "rain"),
        ("S1.08", "people", 0.030, "evening"),
        ("S2.01", "order", 0.016, "night", "summer", 0.10, 90.0, 3.0),
        ("S2.02", "order", 0.030, "late_day", "spring_festival", 0.12),
        ("S2.03", "property", 0.014, "small_hours", "spring_festival", 0.24, 140.0, 6.0),
        ("S2.04", "property", 0.022, "small_hours", "flat", 0.18, 160.0, 5.0),
        ("S2.05", "property", 0.016, "night"),
        ("S2.06", "people", 0.006, "office"),
        ("S2.07", "people", 0.020, "office"),
        ("S2.08", "order", 0.004, "office"),
        ("S2.09", "order", 0.004, "school"),
        ("S2.10", "traffic", 0.062, "commute"),
        ("S3.01", "people", 0.034, "evening"),
        ("S3.02", "people", 0.014, "evening"),
        ("S3.03", "people", 0.008, "office"),
        ("S3.04", "people", 0.008, "office"),
        ("S3.05", "environment", 0.012, "office", "spring_festival"),
        ("S3.06", "people", 0.028, "office"),
        ("S4.01", "people", 0.016, "morning", "winter"),
        ("S4.02", "people", 0.003, "flat"),
        ("S4.03", "people", 0.002, "evening"),
        ("S4.04", "people", 0.002, "night"),
        ("S4.05", "people", 0.006, "night"),
        ("S5.01", "utilities", 0.034, "meals", "summer"),
        ("S5.02", "order", 0.060, "night", "summer", 0.15, 70.0, 2.0),
        ("S5.03", "street_order", 0.050, "commute"),
        ("S5.04", "people", 0.025, "office"),
        ("S5.05", "people", 0.004, "office"),
        ("S6.01", "street_order", 0.014, "meals", "summer"),
        ("S6.02", "street_order", 0.010, "office"),
        ("S7.01", "environment", 0.012, "small_hours", "rain", 0.15, 200.0, 4.0),
        ("S7.02", "environment", 0.012, "late_day", "dry"),
        ("S7.03", "environment", 0.016, "office", "dry"),
        ("C1.01", "appearance", 0.072, "morning", "summer", 0.12, 60.0, 4.0),
        ("C1.02", "appearance", 0.046, "morning"),
        ("C1.03", "appearance", 0.040, "office"),
        ("C1.04", "appearance", 0.014, "office"),
        ("C1.05", "appearance", 0.012, "office"),
        ("C1.06", "appearance", 0.004, "morning"),
        ("C2.01", "appearance", 0.034, "morning", "flat", 0.20, 90.0, 3.0),
        ("C2.02", "street_order", 0.008, "office"),
        ("C3.01", "order", 0.018, "night"),
        ("C3.02", "traffic", 0.010, "office"),
        ("C3.03", "traffic", 0.004, "office"),
        ("C4.01", "street_order", 0.044, "late_day", "summer", 0.15, 80.0, 2.0),
        ("C4.02", "street_order", 0.040, "late_day"),
        ("C4.03", "street_order", 0.034, "late_day"),
        ("C4.04", "street_order", 0.040, "commute"),
        ("C5.01", "utilities", 0.006, "flat", "winter"),
        ("C5.02", "traffic", 0.001, "flat", "rain"),
        ("C5.03", "traffic", 0.010, "flat", "rain"),
        ("C5.04", "utilities", 0.004, "flat", "rain"),
        ("C5.05", "traffic", 0.002, "morning", "winter"),
        ("C5.06", "people", 0.003, "office", "rain"),
        ("C6.01", "traffic", 0.030, "night"),
        ("C6.02", "traffic", 0.008, "commute", "rain"),
        ("C6.03", "traffic", 0.010, "flat"),
        ("X.01", "people", 0.012, "office"),
    )
)  # fmt: skip

HOURS = {
    "flat": [1] * 24,
    "office": [1, 1, 1, 1, 1, 1, 2, 4, 9, 12, 12, 10, 6, 6, 10, 11, 10, 8, 5, 4, 3, 3, 2, 1],
    "commute": [2, 1, 1, 1, 1, 2, 5, 11, 12, 7, 5, 5, 6, 5, 5, 6, 8, 12, 11, 7, 5, 4, 3, 2],
    "evening": [3, 2, 1, 1, 1, 1, 2, 3, 4, 4, 4, 5, 6, 5, 4, 5, 6, 8, 10, 12, 12, 10, 7, 5],
    "night": [10, 8, 5, 3, 2, 1, 1, 1, 1, 1, 2, 2, 3, 3, 2, 2, 3, 4, 5, 7, 9, 12, 13, 12],
    "small_hours": [8, 10, 12, 12, 9, 5, 3, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 4, 4, 5, 6],
    "late_day": [2, 1, 1, 1, 1, 1, 3, 5, 6, 6, 6, 7, 8, 7, 6, 7, 9, 11, 12, 11, 9, 7, 5, 3],
    "morning": [1, 1, 1, 1, 2, 4, 8, 12, 12, 10, 8, 6, 5, 5, 5, 5, 5, 4, 3, 3, 2, 2, 1, 1],
    "meals": [1, 1, 1, 1, 1, 2, 5, 7, 5, 4, 6, 10, 10, 6, 4, 5, 8, 12, 12, 9, 6, 4, 2, 1],
    "school": [0.1, 0.1, 0.1, 0.1, 0.1, 0.2, 3, 12, 6, 2, 2, 6, 7, 4, 2, 5, 14, 12, 5, 2, 1, 0.5, 0.2, 0.1],
}
WEEKDAY = {
    "office": (1.15, 1.1, 1.08, 1.05, 1.05, 0.72, 0.62), "school": (1.3, 1.25, 1.2, 1.2, 1.3, 0.3, 0.2),
    "commute": (1.1, 1.03, 1.02, 1.03, 1.12, 0.9, 0.8), "night": (0.85, 0.85, 0.9, 0.95, 1.2, 1.3, 0.95),
}  # fmt: skip
SPRING_FESTIVAL = {2023: (1, 21), 2024: (2, 9), 2025: (1, 28), 2026: (2, 16), 2027: (2, 5), 2028: (1, 25)}
"""Eve of the first day of the lunar year."""
