"""The words of risk files, in both languages, and sentences from a run's codes."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Literal

from gridmap.domain.risk_rules import risk_rules
from gridmap.domain.vocab import vocabulary
from gridmap.services.risk.products import OutLine, Product, told

Language = Literal["zh", "en"]

TEXTS: dict[str, dict[str, str]] = {
    "title": {"zh": "风险地图和清单", "en": "Risk map and list"},
    "unit": {"zh": "起/平方公里·周", "en": "incidents per km² and week"},
    "heat": {"zh": "热力(地面固定半径)", "en": "Heat (fixed on the ground)"},
    "areas": {"zh": "四色图", "en": "Four colours"},
    "list": {"zh": "清单", "en": "List"},
    "search": {"zh": "按名称查找", "en": "Find by name"},
    "name": {"zh": "区域", "en": "Area"},
    "code": {"zh": "编码", "en": "Code"},
    "parent": {"zh": "上级", "en": "In"},
    "kind": {"zh": "城乡", "en": "Urban or rural"},
    "urban": {"zh": "城镇", "en": "urban"},
    "rural": {"zh": "乡村", "en": "rural"},
    "level": {"zh": "等级", "en": "Level"},
    "rank": {"zh": "名次", "en": "Rank"},
    "rank_range": {"zh": "名次范围", "en": "Range of rank"},
    "expected": {"zh": "预计(起)", "en": "Expected"},
    "interval": {"zh": "90% 区间", "en": "90 % interval"},
    "density": {"zh": "每平方公里每周", "en": "per km² and week"},
    "recent": {"zh": "上一周期(起)", "en": "Last period"},
    "period": {
        "zh": "件数只按固定的四周周期公布;上一周期为 {from} 至 {to},公布后不再更改。",
        "en": "Counts are told of fixed periods of four weeks only; the last one is {from} to {to}, and stays as first told.",
    },
    "weighted": {"zh": "按严重程度折算(起)", "en": "By severity"},
    "weighted_title": {"zh": "按严重程度加权", "en": "weighted by severity"},
    "exposure": {"zh": "{of}数", "en": "{of}"},
    "rate": {"zh": "每千{of}预计(起)", "en": "Expected per 1,000 {of}"},
    "rate_ratio": {"zh": "与平均比率之比", "en": "Rate over the mean"},
    "camera_cover": {"zh": "探头覆盖面积", "en": "Ground in cameras' range"},
    "route_cover": {"zh": "路线覆盖面积", "en": "Ground near routes"},
    "walked": {"zh": "近四周走到的路线", "en": "Routes walked in 4 weeks"},
    "patrol": {"zh": "建议巡逻", "en": "Proposed patrol"},
    "patrol_hot": {"zh": "高风险", "en": "high risk"},
    "patrol_outside": {"zh": "抽签(清单外)", "en": "by lot, outside the list"},
    "patrols_note": {
        "zh": "建议巡逻 {count} 个区域,其中 {outside} 个在高风险清单之外抽签选出(比例 {share},随机种子 {seed})。",
        "en": "{count} areas are proposed for patrols, {outside} of them by lot outside the hot list (share {share}, seed {seed}).",
    },
    "five_or_more": {"zh": "5 处及以上", "en": "5 or more"},
    "trend": {"zh": "趋势", "en": "Trend"},
    "came": {"zh": "实际(起)", "en": "Came"},
    "hazards": {"zh": "未消除隐患", "en": "Open hazards"},
    "cameras": {"zh": "探头", "en": "Cameras"},
    "routes": {"zh": "巡逻路线", "en": "Patrol routes"},
    "reasons": {"zh": "原因", "en": "Reasons"},
    "rising": {"zh": "上升", "en": "rising"},
    "falling": {"zh": "下降", "en": "falling"},
    "steady": {"zh": "无明显变化", "en": "no real change"},
    "kept_back": {"zh": "不显示", "en": "kept back"},
    "kept_back_note": {
        "zh": "少于 5 起的数及能推算出它们的数不显示;本文件不含任何点位记录。",
        "en": "Counts under 5, and those that would give them away, are kept back; no point record is in this file.",
    },
    "span": {"zh": "{from} 至 {to}", "en": "{from} to {to}"},
    "total": {"zh": "预计 {n} 起(90% 区间 {low}–{high})", "en": "{n} incidents expected (90 % {low}–{high})"},
    "imprint": {
        "zh": "编制:{author} 用途:{purpose} 编制时间:{made} 有效期至:{expires}",
        "en": "Made by {author} for {purpose} on {made}; not to be used after {expires}",
    },
    "model": {"zh": "模型:{model}", "en": "Model: {model}"},
    "slider": {"zh": "历次预测", "en": "Runs over time"},
    "more": {"zh": "及以上", "en": "and more"},
    "under": {"zh": "数据不足,不显示", "en": "too few to be shown"},
    "warning": {"zh": "小区域的名次差别多半是偶然,请看区间。", "en": "Differences between small areas are mostly chance: read the interval."},
}  # fmt: skip

_REASONS: dict[str, dict[str, str]] = {
    "density": {"zh": "每平方公里预计为平均的 {times} 倍", "en": "{times} times the mean per km²"},
    "rising_plain": {"zh": "近四周明显高于通常", "en": "clearly more than usual in four weeks"},
    "falling_plain": {"zh": "近四周明显低于通常", "en": "clearly less than usual in four weeks"},
    "hours": {"zh": "多发时段 {hours}", "en": "mostly at {hours}"},
    "many_hazards": {"zh": "未消除隐患 5 处及以上", "en": "five open hazards or more"},
    "no_camera": {"zh": "没有探头", "en": "no camera"},
    "no_route": {"zh": "没有巡逻路线", "en": "no patrol route"},
    "found_by_patrol": {"zh": "{share} 为巡逻发现", "en": "{share} found by patrols"},
}  # fmt: skip


def say(key: str, lang: Language, **params: object) -> str:
    """One text with its parameters."""
    text = TEXTS[key][lang]
    return text.format(**params) if params else text


def group_name(key: str, lang: Language) -> str:
    group = risk_rules().group(key)
    return group.zh if lang == "zh" else group.en


def horizon_name(key: str, lang: Language) -> str:
    horizon = risk_rules().horizon(key)
    return horizon.zh if lang == "zh" else horizon.en


def level_name(key: str, lang: Language) -> str:
    term = vocabulary().term("level", key)
    return term.zh if lang == "zh" else term.en


def colour_name(key: str, lang: Language) -> str:
    found = next((one for one in risk_rules().colours if one.key == key), None)
    return key if found is None else (found.zh if lang == "zh" else found.en)


def title_of(product: Product, lang: Language) -> str:
    """Where, what, when."""
    run = product.run
    named = [run.area_name, group_name(product.group, lang)]
    if product.weighted:
        named.append(say("weighted_title", lang))
    return " · ".join([*named, span_of(run.origin_on, run.horizon_days, lang)])


def period_note(product: Product, lang: Language) -> str:
    """Of which days the counts are."""
    text = TEXTS["period"][lang]
    period = product.period
    return text.replace("{from}", period.first_on.isoformat()).replace("{to}", period.last_on.isoformat())


def patrols_note(product: Product, lang: Language) -> str:
    """How many patrols are proposed, and how those outside the hot list were drawn; empty where none are."""
    patrols = product.surface.figures.get("patrols")
    if not patrols:
        return ""
    return say(
        "patrols_note", lang, count=patrols["count"], outside=patrols["outside"], seed=patrols["seed"],
        share=f"{patrols['outside_share']:.0%}",
    )  # fmt: skip


def exposure_name(product: Product, lang: Language) -> str:
    """What rates are of; empty where nothing was counted."""
    exposure = product.run.params.get("exposure")
    return str(exposure["name"][lang]) if exposure else ""


def span_of(origin_on: date, days: int, lang: Language) -> str:
    last = origin_on + timedelta(days=days - 1)
    return TEXTS["span"][lang].replace("{from}", origin_on.isoformat()).replace("{to}", last.isoformat())


def imprint_of(product: Product, lang: Language) -> str:
    """Author, purpose, day and expiry, as every file carries them."""
    mark = product.imprint
    return say(
        "imprint", lang, author=mark.author, purpose=mark.purpose, made=mark.made_at.strftime("%Y-%m-%d %H:%M"),
        expires=mark.expires_on,
    )  # fmt: skip


def total_of(product: Product, lang: Language) -> str:
    surface = product.surface
    n, low, high = (number(told(value)) for value in (surface.expected, surface.low, surface.high))
    return say("total", lang, n=n, low=low, high=high)


def number(value: float | None) -> str:
    """Few digits: whole from a hundred on."""
    if value is None:
        return "–"
    if value >= 100 or float(value).is_integer():
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def trend_of(row: OutLine, lang: Language) -> str:
    if row.expected is None:
        return say("kept_back", lang)
    if not row.line.trend_real:
        return say("steady", lang)
    return say("rising" if row.line.trend_ratio > 1 else "falling", lang)


def reasons_of(row: OutLine, lang: Language) -> str:
    """The reasons as one line."""
    told = [_reason(one, lang) for one in row.line.reasons]
    return ("；" if lang == "zh" else "; ").join(text for text in told if text)


def _reason(one: dict[str, Any], lang: Language) -> str:
    text = _REASONS.get(one["code"])
    if text is None:
        return ""
    params = dict(one["params"])
    if "hours" in params:
        params["hours"] = ", ".join(f"{hour:02d}:00" for hour in params["hours"])
    if "share" in params:
        params["share"] = f"{params['share']:.0%}"
    return text[lang].format(**params)
