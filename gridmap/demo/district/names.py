"""Invented names, Chinese with Hanyu Pinyin. Drawn without repetition from small word tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_FIRST = (
    "青 Qing,云 Yun,枫 Feng,兰 Lan,松 Song,竹 Zhu,梅 Mei,桂 Gui,柳 Liu,荷 He,清 Qing,明 Ming,永 Yong,宁 Ning,"
    "安 An,和 He,瑞 Rui,祥 Xiang,福 Fu,文 Wen,金 Jin,玉 Yu,银 Yin,碧 Bi,翠 Cui,丹 Dan,紫 Zi,白 Bai,龙 Long,"
    "凤 Feng,鹤 He,鹿 Lu,雁 Yan,星 Xing,月 Yue,晨 Chen,朝 Zhao,春 Chun,秋 Qiu,长 Chang,东 Dong,南 Nan,西 Xi,"
    "北 Bei,新 Xin,石 Shi,泉 Quan,华 Hua,景 Jing,望 Wang"
)
_SECOND = (
    "林 lin,山 shan,溪 xi,湖 hu,江 jiang,河 he,泉 quan,塘 tang,桥 qiao,岭 ling,峰 feng,坪 ping,湾 wan,洲 zhou,"
    "园 yuan,庭 ting,台 tai,阁 ge,亭 ting,门 men,城 cheng,井 jing,岗 gang,坡 po,田 tian,源 yuan,川 chuan,"
    "谷 gu,原 yuan,浦 pu,屏 ping,阳 yang,光 guang,兴 xing,盛 sheng,昌 chang,远 yuan,宁 ning,康 kang,乐 le,德 de"
)
_ESTATE = (
    "花园 Garden,家园 Homes,小区 Estate,雅苑 Court,名邸 Mansion,新村 New Village,公馆 Residence,里 Li,"
    "国际 International,锦城 Jincheng,华府 Huafu"
)
_FAMILY = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛"
    "叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔"
    "贺赖龚文"
)
_GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰涛明超霞平刚桂英华玉萍红鹏飞宇欣悦嘉怡博文思雨晨浩然梓轩子涵建国志远海"
    "燕晓东春梅秋菊冬雪立新向阳永康家宁安民"
)


@dataclass(frozen=True)
class Name:
    """A name in both languages."""

    zh: str
    en: str


def _table(text: str) -> list[tuple[str, str]]:
    return [(pair.split(" ", 1)[0], pair.split(" ", 1)[1]) for pair in text.split(",")]


class NameBook:
    """Hands out place names; none comes twice before all (about 2,000) were used."""

    def __init__(self, rng: np.random.Generator) -> None:
        first, second = _table(_FIRST), _table(_SECOND)
        pairs = [Name(a + b, ea + eb) for a, ea in first for b, eb in second if a != b and a + b != "清明"]
        self._pairs = pairs
        self._stock: list[Name] = []
        self._estates = _table(_ESTATE)
        self._rng = rng

    def place(self) -> Name:
        """A bare two-character name, such as 枫林 (Fenglin)."""
        if not self._stock:
            self._stock = [self._pairs[i] for i in self._rng.permutation(len(self._pairs))]
        return self._stock.pop()

    def with_suffix(self, zh: str, en: str) -> Name:
        """A bare name and a word for what it is, such as 枫林路 (Fenglin Road)."""
        name = self.place()
        return Name(name.zh + zh, f"{name.en} {en}")

    def estate(self) -> Name:
        """Name of a walled estate, such as 翠湖花园."""
        zh, en = self._estates[int(self._rng.integers(len(self._estates)))]
        return self.with_suffix(zh, en)


def person_names(count: int, rng: np.random.Generator) -> list[str]:
    """Invented names of people; repeats are possible, as in life. Any likeness is chance."""
    weight = 1.0 / np.arange(4, 4 + len(_FAMILY))
    family = rng.choice(list(_FAMILY), count, p=weight / weight.sum())
    given = rng.choice(list(_GIVEN), (count, 2))
    second = rng.random(count) < 0.82
    return [f + g[0] + (g[1] if two else "") for f, g, two in zip(family, given, second, strict=True)]
