"""Places in a turn of the user's, and whose they are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from advisor.clauses import Text
from advisor.dates import jio
from advisor.phrases import Phrases

SIDES = ("buyer", "seller", "self")
_AREA = r"(?:省|市|壮族自治区|回族自治区|维吾尔自治区|自治区|特别行政区)$"
# A county town's name is often a common word: it counts where something shows it to be a place.
_TOWN = r"(?=市|县|区|的|人|买家|这边|那边|发|$|[\s,。;!?、])"


@dataclass(frozen=True)
class Place:
    """A place named: its province, its own name, and whose it is ("buyer", "seller", "self" or "")."""

    province: str
    name: str
    side: str
    supposed: bool


def short_province(name: str) -> str:
    """浙江省 → 浙江, 广西壮族自治区 → 广西."""
    return re.sub(_AREA, "", name.strip())


def places(text: Text, phrases: Phrases) -> list[Place]:
    """The places a turn names, in order; not those it says are wrong ("不是广东")."""
    plain = text.plain
    for pattern in phrases.says("place.no_place"):
        plain = pattern.sub(lambda m: " " * len(m[0]), plain)
    found: dict[str, tuple[int, Place]] = {}
    for name, province, town in _regions():
        if name in plain and (match := re.search(rf"{name}{_TOWN if town else ''}", plain)):
            around = text.marked(*match.span(), "◎", 16, 12)
            side = next((side for side in SIDES if phrases.find(f"place.{side}", around)), "")
            if phrases.find("place.denied", around) or (
                town and not side and plain[match.end() : match.end() + 1] not in ("市", "县")
            ):
                continue
            found.setdefault(name, (match.start(), Place(province, name, side, text.supposed(match.start()))))
    return [place for _, place in sorted(found.values(), key=lambda item: item[0])]


@cache
def _regions() -> list[tuple[str, str, bool]]:
    """(place, province short name, whether it is a county town): provinces, then cities, then county towns."""
    provinces: list[tuple[str, str, bool]] = []
    cities: list[tuple[str, str, bool]] = []
    towns: list[tuple[str, str, bool]] = []
    for name, below in jio().china_location_loader().items():
        if name.startswith("_"):
            continue
        short = short_province(name)
        provinces.append((short, short, False))
        for city, counties in below.items():
            if city.startswith("_") or not isinstance(counties, dict):
                continue
            cities.append((city[:2] if city.endswith("自治州") else re.sub(r"市$", "", city), short, False))
            towns.extend((c[:-1], short, True) for c in counties if c.endswith("市") and len(c) > 2)
    taken = {province for province, _, _ in provinces}
    cities = [city for city in cities if city[0] not in taken]
    return [region for region in provinces + cities + towns if len(region[0]) >= 2]
