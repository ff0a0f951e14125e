#!/usr/bin/env python3
"""Reads what benches/live/soak.sh has written: receipts against the truth, memory over time, recovery of devices.

    python3 soak.py FOLDER      exit status 1 where a receipt is wrong without a mark, or the memory of the end is unknown
"""
import collections, glob, json, pathlib, sys


def goods_of(items, code, count):
    """Units by product."""
    goods = collections.Counter()
    for item in items:
        goods[item[code]] += item[count]
    return +goods


def receipts(folder, truth):
    """Matches receipts with true ones: of the same visit where the tracks of the film were kept, else of the same goods, and
    what is left by as many common units as there are."""
    left = []
    for name in sorted(glob.glob(str(folder / "receipts" / "*.json"))):
        document = json.loads(pathlib.Path(name).read_text())
        receipt = document["receipt"]
        left.append((str(receipt["visit"]), goods_of(receipt["lines"], "sku", "quantity"), document["state"] == "review"))
    ours = sum(sum(goods.values()) for _, goods, _ in left)
    true = [(str(one["target_id"]), goods_of(one["products"], "barcode", "quantity")) for one in truth["receipts"]]
    pairs, count = [], len(left)
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
                pairs.append((goods, found[1], found[2]))
    pairs += [(goods, collections.Counter(), False) for _, goods in true] + [(collections.Counter(), *one[1:]) for one in left]
    common = sum(sum((goods & found).values()) for goods, found, _ in pairs)
    all_true = sum(sum(one["quantity"] for one in receipt["products"]) for receipt in truth["receipts"])
    exact = sum(goods == found for goods, found, _ in pairs)
    wrong = [pair for pair in pairs if pair[0] != pair[1]]
    score = 2 * common / (all_true + ours) if all_true + ours else 1.0
    print(f"receipts: {len(truth['receipts'])} true, {count} ours, {exact} exact, unit F1 {score:.3f}")
    for goods, found, marked in wrong:
        print(f"  {'for review' if marked else 'NOT MARKED'}: true {dict(goods)}, ours {dict(found)}")
    silent = sum(not marked for _, _, marked in wrong)
    print(f"wrong without a mark: {silent}")
    return silent


def memory(folder):
    """Resident memory of minute 5 and of the end."""
    rows = [line.split() for line in (folder / "memory.txt").read_text().splitlines()]
    rows = [(float(row[0]), int(row[1])) for row in rows if len(row) == 2]
    if not rows:
        print("memory: unknown")
        return None
    near = lambda secs: min(rows, key=lambda row: abs(row[0] - rows[0][0] - secs))[1]
    early = near(300)
    for minute in range(0, int((rows[-1][0] - rows[0][0]) / 60) + 1):
        print(f"  minute {minute}: {near(60 * minute) / 1024:.1f} MiB")
    print(f"memory: {early / 1024:.1f} MiB in minute 5, {rows[-1][1] / 1024:.1f} MiB at the end, {rows[-1][1] / early - 1:+.1%}")
    return rows[-1][1]


def recovery(folder):
    """How long after the end of each fault its device was well again, and whether it was seen to be unwell."""
    states = []
    for line in (folder / "health.txt").read_text().splitlines():
        at, _, text = line.partition(" ")
        try:
            document = json.loads(text)
        except ValueError:
            continue
        items = document.get("items", []) if isinstance(document, dict) else document
        if items:
            states.append((float(at), {item["device"]: item for item in items}))
    for line in (folder / "faults.jsonl").read_text().splitlines():
        fault = json.loads(line)
        start, end = fault["from"] / 1e9, fault["until"] / 1e9
        device = fault["device"].removeprefix("camera/") if fault["device"] not in (states[-1][1] if states else {}) else fault["device"]
        during = [state[device]["health"] for at, state in states if start <= at <= end + 5 and device in state]
        unwell = sorted({word for word in during if word != "online"})
        back = next((at - end for at, state in states if end <= at and state.get(device, {}).get("health") == "online"), None)
        told = ", ".join(unwell) or "never unwell"
        back = "not seen well again" if back is None else f"well {back:.1f} s after its end"
        print(f"  {fault['kind']:<18} {fault['device']:<14} {end - start:5.1f} s: {told}; {back}")


def main():
    folder = pathlib.Path(sys.argv[1])
    silent = receipts(folder, json.loads((folder / "truth.json").read_text()))
    known = memory(folder)
    print("faults:")
    recovery(folder)
    sys.exit(1 if silent or known is None else 0)


if __name__ == "__main__":
    main()
