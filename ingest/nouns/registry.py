"""Every noun that takes rows one by one. Areas come as a whole set and have a module of their own."""

from __future__ import annotations

from gridmap.errors import Invalid
from ingest.nouns import buildings, cameras, features, incidents, staff
from ingest.nouns.base import Noun

NOUNS: dict[str, Noun] = {
    noun.key: noun
    for noun in (
        cameras.NOUN,
        incidents.NOUN,
        staff.UNITS_NOUN,
        staff.PEOPLE_NOUN,
        buildings.NOUN,
        features.PLACES,
        features.RESOURCES,
        features.COMPONENTS,
        features.ROUTES,
    )
}


def get_noun(key: str) -> Noun:
    """Raises Invalid("noun_unknown")."""
    noun = NOUNS.get(key)
    if noun is None:
        raise Invalid("noun_unknown", noun=key, known=sorted(NOUNS))
    return noun
