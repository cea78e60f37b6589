"""What a noun's fields take, and how text becomes typed values: whole columns at a time, every fault kept."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from gridmap.domain.vocab import Vocabulary
from ingest.base import Faults, Mask, Objects, objects, only

Kind = Literal["text", "code", "number", "integer", "term", "event_class", "moment", "terms"]
_BETWEEN_TERMS = re.compile("[;,，、]")
_CONTROL = {number: None for number in range(32) if number not in (9, 10, 13)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One thing that a column may be mapped to.

    `aliases` are headers taken for it without being told; `vocabulary` names the short list of a term;
    `fixed` False means that the value may not be given for the whole file at once.
    """

    name: str
    kind: Kind = "text"
    required: bool = False
    most_chars: int = 200
    vocabulary: str | None = None
    least: float | None = None
    most: float | None = None
    aliases: tuple[str, ...] = ()
    free_text: bool = False


@dataclass(slots=True)
class Conversion:
    """What all columns of one file share: vocabularies, the value maps, and what no map knew."""

    vocabulary: Vocabulary
    value_maps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    unmapped: dict[str, Counter[str]] = field(default_factory=dict)


def convert(spec: Field, values: Objects, conversion: Conversion, faults: Faults) -> Objects:
    """A column of text as typed values; None where missing or faulty, one fault per reason.

    Terms come out as vocabulary keys, numbers as float or int, codes and text stripped. Moments are left as
    text: they need the file's time zone (see `ingest.moments`).
    """
    texts = objects(value.strip() for value in values)
    filled = texts != ""
    if spec.required:
        faults.add(~filled, spec.name, "missing")
    return _BY_KIND[spec.kind](spec, texts, filled, conversion, faults)


def _text(spec: Field, texts: Objects, filled: Mask, conversion: Conversion, faults: Faults) -> Objects:
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    too_long = lengths > spec.most_chars
    faults.add(too_long, spec.name, "too_long", lengths)
    return only(filled & ~too_long, objects(map(storable, texts)))


def storable(text: str) -> str:
    """Text without what PostgreSQL cannot hold or no eye can see: control characters and lone surrogates."""
    if text.isprintable():
        return text
    return text.translate(_CONTROL).encode("utf-8", "replace").decode("utf-8").strip()


def _number(spec: Field, texts: Objects, filled: Mask, conversion: Conversion, faults: Faults) -> Objects:
    numbers = pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce").to_numpy(dtype=float)
    named = np.array([text.lower().lstrip("+-") in ("nan", "inf", "infinity") for text in texts], dtype=bool)
    not_finite = filled & (named | np.isinf(numbers))
    faults.add(not_finite, spec.name, "not_finite", texts)
    wrong = filled & np.isnan(numbers) & ~named
    faults.add(wrong, spec.name, "not_a_number", texts)
    usable = filled & ~wrong & ~not_finite
    with np.errstate(invalid="ignore"):
        low = usable & (numbers < spec.least) if spec.least is not None else np.zeros_like(usable)
        high = usable & (numbers > spec.most) if spec.most is not None else np.zeros_like(usable)
    faults.add(low | high, spec.name, "out_of_range", texts)
    return only(usable & ~low & ~high, numbers)


def _integer(spec: Field, texts: Objects, filled: Mask, conversion: Conversion, faults: Faults) -> Objects:
    numbers = _number(spec, texts, filled, conversion, faults)
    broken = np.array([number is not None and number != int(number) for number in numbers], dtype=bool)
    faults.add(broken, spec.name, "not_a_whole_number", texts)
    whole = np.full(len(numbers), None, dtype=object)
    for row in np.flatnonzero(~broken):
        whole[row] = None if numbers[row] is None else int(numbers[row])
    return whole


def _term(spec: Field, texts: Objects, filled: Mask, conversion: Conversion, faults: Faults) -> Objects:
    known = term_names(spec, conversion.vocabulary)
    mapped = conversion.value_maps.get(spec.name, {})
    found = {text: _look_up(text, mapped, known) for text in set(texts[filled])}
    unknown = np.array([bool(text) and found[text] is None for text in texts], dtype=bool)
    if unknown.any():
        conversion.unmapped.setdefault(spec.name, Counter()).update(texts[unknown].tolist())
        faults.add(unknown, spec.name, "value_unmapped", texts)
    return objects(found[text] if text else None for text in texts)


def _terms(spec: Field, texts: Objects, filled: Mask, conversion: Conversion, faults: Faults) -> Objects:
    known = term_names(spec, conversion.vocabulary)
    mapped = conversion.value_maps.get(spec.name, {})
    lists = np.empty(len(texts), dtype=object)
    for position, text in enumerate(texts):
        parts = [part.strip() for part in _BETWEEN_TERMS.split(text)]
        keys = {part: _look_up(part, mapped, known) for part in parts if part}
        unknown = [part for part, key in keys.items() if key is None]
        if unknown:
            conversion.unmapped.setdefault(spec.name, Counter()).update(unknown)
            faults.add([position], spec.name, "value_unmapped", {position: unknown[0]})
        lists[position] = sorted({key for key in keys.values() if key is not None})
    return lists


def _look_up(text: str, mapped: Mapping[str, str], known: Mapping[str, str]) -> str | None:
    return known.get(mapped[text].casefold()) if text in mapped else known.get(text.casefold())


def term_names(spec: Field, vocabulary: Vocabulary) -> dict[str, str]:
    """Every way to say a term (its key, its Chinese and its English name, without case) and the key it
    means."""
    if spec.kind == "event_class":
        rows = [(row.key, row.zh, row.en) for row in vocabulary.classes.values() if row.parent is not None]
    else:
        assert spec.vocabulary is not None
        rows = [(term.key, term.zh, term.en) for term in vocabulary.lists[spec.vocabulary].values()]
    names: dict[str, str] = {}
    for key, zh, en in rows:
        for name in (en, zh):
            names.setdefault(name.casefold(), key)
    # A key wins over another row's name.
    names.update({key.casefold(): key for key, _, _ in rows})
    return names


def _moment(spec: Field, texts: Objects, filled: Mask, conversion: Conversion, faults: Faults) -> Objects:
    return only(filled, texts)


_BY_KIND: dict[Kind, Callable[[Field, Objects, Mask, Conversion, Faults], Objects]] = {
    "text": _text,
    "code": _text,
    "number": _number,
    "integer": _integer,
    "term": _term,
    "terms": _terms,
    "event_class": _term,
    "moment": _moment,
}
