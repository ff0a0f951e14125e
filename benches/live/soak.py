#!/usr/bin/env python3
"""Reads what benches/live/soak.sh has written: receipts against the truth and against the same film without faults, memory over
time, recovery of devices.

    python3 soak.py FOLDER      exit status 1 where a receipt is wrong without a mark that is right without faults, or the memory
                                is unknown
"""
import collections, glob, json, pathlib, sys

# A device is looked at for so many seconds after a fault, or until the next one.
AFTER_SECS = 25


def goods_of(items, code, count):
    """Units by product."""
    goods = collections.Counter()
    for item in items:
        goods[item[code]] += item[count]
    return +goods


def match(true, ours):
    """Pairs true receipts with ours, each (visit, goods, marked): of the same visit where the tracks of the film were kept, else
    of the same goods, and what is left by as many common units as there are. Gives (visit, true goods, our goods, marked)."""
    true, left, pairs = list(true), list(ours), []
    for rule in (
        lambda one, visit, goods: one[0] == visit,
        lambda one, visit, goods: one[1] == goods,
        lambda one, visit, goods: one[1] & goods,
    ):
        for visit, goods in list(true):
            found = next((one for one in left if rule(one, visit, goods)), None)
            if found:
                left.remove(found)
                true.remove((visit, goods))
                pairs.append((visit, goods, found[1], found[2]))
    pairs += [(visit, goods, collections.Counter(), False) for visit, goods in true]
    return pairs + [(None, collections.Counter(), goods, marked) for _, goods, marked in left if goods or marked]


def receipts(folder):
    """How many receipts are wrong without a mark that are right without faults."""
    truth = json.loads((folder / "truth.json").read_text())
    true = [(str(one["target_id"]), goods_of(one["products"], "barcode", "quantity")) for one in truth["receipts"]]
    ours = []
    for name in sorted(glob.glob(str(folder / "receipts" / "*.json"))):
        document = json.loads(pathlib.Path(name).read_text())
        receipt = document["receipt"]
        ours.append((str(receipt["visit"]), goods_of(receipt["lines"], "sku", "quantity"), document["state"] == "review"))
    reference = json.loads((folder / "reference.json").read_text())["receipts"]
    reference = [(str(one["target_id"]), goods_of(one["products"], "barcode", "quantity"), False) for one in reference]
    pairs, without = match(true, ours), match(true, reference)
    for name, those, count in (("with faults", pairs, len(ours)), ("without", without, len(reference))):
        common = sum(sum((goods & found).values()) for _, goods, found, _ in those)
        units = sum(sum(goods.values()) + sum(found.values()) for _, goods, found, _ in those)
        exact = sum(visit is not None and goods == found for visit, goods, found, _ in those)
        score = 2 * common / units if units else 1.0
        print(f"receipts {name}: {len(true)} true, {count} ours, {exact} exact, unit F1 {score:.3f}")
    marked = sum(marked for *_, marked in ours)
    print(f"for review: {marked} of {len(ours)}; the recording replays to {same_as_replayed(folder, ours)} of them")
    right = {visit for visit, goods, found, _ in without if goods == found}
    invented = sum(visit is None for visit, *_ in without)
    silent = blamed = 0
    for visit, goods, found, marked in pairs:
        if goods == found:
            continue
        silent += not marked
        if not marked and visit is None:
            invented -= 1
        is_blamed = not marked and (visit in right or visit is None and invented < 0)
        blamed += is_blamed
        word = "for review" if marked else "NOT MARKED, right without faults" if is_blamed else "not marked, wrong without faults too"
        print(f"  {word}: true {dict(goods)}, ours {dict(found)}")
    print(f"wrong without a mark: {silent}, of these right without faults: {blamed}")
    return blamed


def same_as_replayed(folder, ours):
    """How many of our receipts the recording of the shop replays to."""
    path = folder / "replayed.json"
    if not path.exists():
        return "an unknown number"
    replayed = json.loads(path.read_text())["receipts"]
    replayed = {str(one["target_id"]): goods_of(one["products"], "barcode", "quantity") for one in replayed}
    return sum(replayed.get(visit) == goods for visit, goods, _ in ours)


def memory(folder):
    """Resident memory, the mean of each minute; of minute 5, and of minute 30 or the last whole one."""
    rows = [line.split() for line in (folder / "memory.txt").read_text().splitlines()]
    rows = [(float(row[0]), int(row[1]) / 1024) for row in rows if len(row) == 2]
    if not rows:
        print("memory: unknown")
        return None
    minutes = {}
    for at, mebibytes in rows:
        minutes.setdefault(int((at - rows[0][0]) / 60), []).append(mebibytes)
    means = {minute: sum(sizes) / len(sizes) for minute, sizes in minutes.items() if 50 <= len(sizes)}
    for minute, mean in means.items():
        print(f"  minute {minute}: {mean:.1f} MiB, {min(minutes[minute]):.1f} to {max(minutes[minute]):.1f}")
    if 5 in means:
        last = min(30, max(means))
        early, late = means[5], means[last]
        print(f"memory: {early:.1f} MiB in minute 5, {late:.1f} MiB in minute {last}, {late / early - 1:+.1%}")
    return means


def looks(folder):
    """How devices were, by time."""
    states, blind = [], []
    for line in (folder / "health.txt").read_text().splitlines():
        at, _, text = line.partition(" ")
        try:
            document = json.loads(text)
        except ValueError:
            document = []
        items = document.get("items", []) if isinstance(document, dict) else document
        if items:
            states.append((float(at), {item["device"]: item for item in items}))
        else:
            blind.append(float(at))
    return states, blind


def recovery(folder):
    """How long after the end of each fault its device was well again, and how it was seen meanwhile."""
    states, blind = looks(folder)
    if states:
        unseen = sum(states[0][0] < at for at in blind)
        print(f"devices were asked for {len(states)} times with an answer and {unseen} times without, after the first")
    faults = []
    for name in ("faults.jsonl", "kills.jsonl"):
        path = folder / name
        faults += [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    worst = {"works": [], "online": []}
    faults.sort(key=lambda fault: fault["from"])
    for fault, following in zip(faults, faults[1:] + [None]):
        start, end, device = fault["from"] / 1e9, fault["until"] / 1e9, fault["device"]
        last = min(end + AFTER_SECS, following["from"] / 1e9 if following else end + AFTER_SECS)
        seen = [(at, state[device]) for at, state in states if start <= at <= last and device in state]
        told = sorted({item["health"] for _, item in seen if item["health"] != "online"})
        back = {}
        for name, words in (("works", ("online", "degraded")), ("online", ("online",))):
            bad = max((at for at, item in seen if item["health"] not in words), default=start)
            first = next((at for at, item in seen if bad < at and item["health"] in words), None)
            back[name] = None if first is None else max(0.0, first - end)
            worst[name].append(back[name])
        say = lambda secs: "not seen" if secs is None else f"{secs:.1f} s"
        cause = next((item["cause"] for _, item in reversed(seen) if item["health"] == "degraded"), None)
        why = f" ({cause})" if back["online"] is None or 2 < back["online"] else ""
        print(
            f"  {fault['kind']:<17} {device:<14} {end - start:5.1f} s: {', '.join(told) or 'never unwell'};"
            f" gives again after {say(back['works'])}, online after {say(back['online'])}{why}"
        )
    for name, secs in worst.items():
        known = [one for one in secs if one is not None]
        late = sum(one is None or 2 < one for one in secs)
        print(f"{name}: {len(secs)} faults, worst {max(known, default=0):.1f} s, {late} later than 2 s or never")


def main():
    folder = pathlib.Path(sys.argv[1])
    blamed = receipts(folder)
    known = memory(folder)
    print("faults:")
    recovery(folder)
    sys.exit(1 if blamed or known is None else 0)


if __name__ == "__main__":
    main()
