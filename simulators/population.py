"""Customers, meters and work orders from a seed. The same seed gives the same people, numbers and outcomes."""

from __future__ import annotations

import json
import random
import sqlite3

RECONNECT = "复电复核"
"""The one business type that robot 1 works; everything else in the to-do list is a decoy."""

KINDS = (RECONNECT, "停电复核", "停复电", "换表", "业扩报装", "抄表异常", "电费核算")
LOOK_ALIKES = ("停电复核", "停复电")

MARKETING_POSTS = ("城区供电所-费控复电专责", "城区供电所-业扩报装专责", "城区供电所-用电检查专责")
SMS_POSTS = ("客户服务中心-短信服务专责", "客户服务中心-业务受理专责")
COLLECTION_POSTS = ("采集运维班-采集运维专责",)

ACCOUNTS = (
    ("marketing", "fkzb01", "Fk#2026zb", "费控值班", MARKETING_POSTS, 0),
    ("marketing", "dxfs01", "Dx#2026fs", "短信专员", SMS_POSTS, 1),
    ("collection", "cjdc01", "Cj#2026dc", "采集值班", COLLECTION_POSTS, 0),
)
"""(system, user, password, name, posts, may send text messages). Made up, and good for nothing but the stand-ins."""

_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_MIDDLE = "建国志文小明春秀玉海永德世金庆光立红美桂淑振学家"
_LAST = "华军强平芳英兰梅伟敏杰涛超勇丽娟霞刚辉鹏波斌宇浩洁莉云峰林生"
_NEAR = {"华": "军", "伟": "玮", "军": "君", "芳": "方", "英": "瑛", "兰": "蓝", "平": "萍", "强": "刚", "梅": "海", "敏": "明"}
_COMPANIES = ("宏达建材有限公司", "瑞丰农资经营部", "永兴五金加工厂", "福来超市", "金谷粮油有限公司", "鑫源养殖合作社")
_VILLAGES = (
    "城东村",
    "城西村",
    "南河村",
    "北关村",
    "柳林村",
    "东岳村",
    "桃园村",
    "石桥村",
    "双井村",
    "大王庄",
    "小李庄",
    "杨家湾",
)
_STATIONS = ("城区供电所", "柳林供电所", "石桥供电所", "桃园供电所")
_ROADS = ("人民路", "建设街", "振兴路", "幸福巷", "学府路", "滨河路", "迎宾大道")


class _Maker:
    """Draws people and numbers; remembers what was used, so that numbers are unique."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(f"people-{seed}")
        self.used: set[str] = set()

    def digits(self, prefix: str, length: int) -> str:
        while True:
            number = prefix + "".join(self.random.choices("0123456789", k=length - len(prefix)))
            if number not in self.used:
                self.used.add(number)
                return number

    def near(self, number: str) -> str:
        """A number that differs from ``number`` in one digit behind the prefix."""
        while True:
            place = self.random.randrange(4, len(number))
            twin = number[:place] + self.random.choice("0123456789") + number[place + 1 :]
            if twin not in self.used:
                self.used.add(twin)
                return twin

    def phone(self) -> str:
        return self.digits(self.random.choice(("139", "138", "136", "150", "158", "187", "188")), 11)

    def person(self) -> str:
        middle = self.random.choice(_MIDDLE) if self.random.random() < 0.8 else ""
        return self.random.choice(_SURNAMES) + middle + self.random.choice(_LAST)


def classes(count: int, faults: frozenset[str], rng: random.Random) -> list[str]:
    """What becomes of each reconnect order, in a random order: a mix of which a run of eight or more holds every kind.

    Without the faults ``fail_n`` and ``false`` the orders that would have been of those kinds are normal.
    """
    if count >= 8:
        shares = {"fails_n": 0.15, "fails_always": 0.1, "false_reconnect": 0.1, "late_current": 0.08, "no_answer": 0.05}
        mix = [name for name, share in shares.items() for _ in range(max(1, round(share * count)))]
        mix += ["normal"] * (count - len(mix))
    else:
        mix = ["normal", "fails_n", "false_reconnect", "fails_always", "late_current", "normal", "no_answer"][:count]
    rng.shuffle(mix)
    off = {"fails_n", "fails_always"} if "fail_n" not in faults else set()
    off |= {"false_reconnect", "late_current", "no_answer"} if "false" not in faults else set()
    return ["normal" if name in off else name for name in mix]


def populate(db: sqlite3.Connection, seed: int, count: int, faults: frozenset[str], now: float) -> None:
    """Fill an empty database: ``count`` reconnect orders, decoys around them, and customers without any order."""
    make = _Maker(seed)
    rng = make.random
    db.executemany(
        "INSERT INTO accounts VALUES (?,?,?,?,?,?)",
        [(s, user, secret, name, json.dumps(posts, ensure_ascii=False), sms) for s, user, secret, name, posts, sms in ACCOUNTS],
    )
    db.executemany("INSERT INTO stations VALUES (?,?,?)", [(name, f"{name[:2]}抢修班", make.phone()) for name in _STATIONS])
    areas = [f"{village}{n}号公变" for village in _VILLAGES for n in range(1, 5)]
    db.executemany(
        "INSERT INTO areas VALUES (?,?,?,?)",
        [(area, _STATIONS[i // 4 % len(_STATIONS)], make.person(), make.phone()) for i, area in enumerate(areas)],
    )

    customers: list[tuple[str, ...]] = []
    meters: list[tuple[object, ...]] = []

    def customer(number: str | None = None, name: str | None = None, area: str | None = None, on: bool = False) -> int:
        number = number or make.digits("3", 10)
        if name is None:
            company = rng.random() < 0.12
            name = (rng.choice(_VILLAGES)[:2] + rng.choice(_COMPANIES)) if company else make.person()
        area = area or rng.choice(areas)
        village = area.split("号")[0].rstrip("0123456789")
        address = f"{village}{rng.choice(_ROADS)}{rng.randint(1, 188)}号{rng.randint(1, 12)}栋{rng.randint(101, 1805)}室"
        customers.append((number, name, make.phone(), address, area))
        phases = 3 if rng.random() < 0.25 else 1
        load = round(rng.uniform(0.35, 9.8), 3)
        energy = round(rng.uniform(120, 32000), 2)
        online, collected = int(rng.random() < 0.93), int(rng.random() > 0.12)
        asset = make.digits("3730001", 22)
        meters.append((asset, number, make.digits("3705", 9), phases, load, energy, online, collected, int(on)))
        return len(customers) - 1

    orders: list[tuple[object, ...]] = []

    def order(who: int, kind: str, outcome: str, number: str | None = None, post: str = MARKETING_POSTS[0]) -> None:
        ago = rng.uniform(600, 90 * 3600)
        hours = rng.uniform(0.2, 30)
        badge = rng.choice(("超", "延")) if rng.random() < 0.3 else ""
        remaining = f"-{hours / 3:.1f}小时" if badge == "超" else f"{hours:.1f}小时"
        succeeds = {"fails_n": rng.choice((2, 3)), "fails_always": None, "decoy": 1}.get(outcome, 1)
        number = number or make.digits("3705", 16)
        silent = int(rng.random() < 0.5)
        orders.append((number, customers[who][0], kind, outcome, succeeds, silent, post, now - ago, remaining, badge, 0, None))

    mine: list[int] = []
    for i, outcome in enumerate(classes(count, faults, rng)):
        if i % 5 == 4:
            twin = customers[mine[-1]]
            who = customer(make.near(twin[0]), _near_name(twin[1]), twin[4])
            number = make.near(str(orders[-1][0]))
        else:
            who, number = customer(), None
        mine.append(who)
        order(who, RECONNECT, outcome, number)
    for i in range(round(count * 0.4) if count else 0):
        pick = rng.randrange(count)
        twin = customers[mine[pick]]
        who = customer(make.near(twin[0]), _near_name(twin[1]), twin[4])
        order(who, LOOK_ALIKES[i % 2], "decoy", make.near(str(orders[pick][0])))
    for i in range(10 + count // 3):
        order(customer(on=True), KINDS[1 + i % (len(KINDS) - 1)], "decoy", post=MARKETING_POSTS[0 if i % 3 else 1 + i % 2])
    for _ in range(max(40, count)):
        customer(on=True)

    rng.shuffle(orders)
    orders.sort(key=lambda row: -row[7])  # type: ignore[operator]
    ranked = [(*row[:10], len(orders) - i, None) for i, row in enumerate(orders)]
    db.executemany("INSERT INTO customers VALUES (?,?,?,?,?)", customers)
    db.executemany("INSERT INTO meters VALUES (?,?,?,?,?,?,?,?,?)", meters)
    db.executemany("INSERT INTO orders VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", ranked)


def _near_name(name: str) -> str:
    """A name that is easily taken for the other one."""
    return name[:-1] + _NEAR.get(name[-1], name[-1])
