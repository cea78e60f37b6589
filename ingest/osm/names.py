"""The text a search looks through: normal form of every name, and pinyin for those who type Latin letters."""

from __future__ import annotations

from functools import lru_cache

from pypinyin import lazy_pinyin

from gridmap.domain.addresses import is_chinese, normal_text


@lru_cache(maxsize=50_000)
def search_text(name: str, *others: str | None) -> str:
    """Words to search, the name itself first: "建设路 jiansheroad jianshelu jsl"."""
    words = [normal_text(name), *(normal_text(other) for other in others if other)]
    if is_chinese(name):
        syllables = lazy_pinyin(normal_text(name))
        words += ["".join(syllables), "".join(syllable[:1] for syllable in syllables)]
    return " ".join(dict.fromkeys(word for word in words if word))
