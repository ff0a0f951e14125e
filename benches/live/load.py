#!/usr/bin/env python3
"""Watches what benches/live/load.sh runs, and says what became of it.

    python3 load.py watch FOLDER SHOP_PID BROKER_PID DEVICES_PID API TOKEN   until the shop ends; writes watch.jsonl once a second
    python3 load.py tell FOLDER                                              exit status 1 where something was lost
"""
import json, os, pathlib, re, sys, time, urllib.request

TICKS = os.sysconf("SC_CLK_TCK")


def ticks(path):
    """Name of a process or thread, and the processor time that it has taken, seconds."""
    try:
        head, _, rest = pathlib.Path(path, "stat").read_text().rpartition(")")
    except OSError:
        return None
    fields = rest.split()
    return head.split("(", 1)[1], (int(fields[11]) + int(fields[12])) / TICKS


def status(pid, field):
    found = re.search(rf"^{field}:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)
    return int(found.group(1)) if found else 0


def metric(text, name, **labels):
    """The sum of all samples of a metric that have these labels."""
    total = 0.0
    for line in text.splitlines():
        if line.startswith(name + "{") and all(f'{key}="{value}"' in line for key, value in labels.items()):
            total += float(line.rsplit(" ", 1)[1])
    return total


def watch(folder, shop, broker, devices, api, token):
    with open(pathlib.Path(folder, "watch.jsonl"), "w") as out:
        while os.path.exists(f"/proc/{shop}"):
            try:
                request = urllib.request.Request(api + "/metrics", headers={"Authorization": "Bearer " + token})
                text = urllib.request.urlopen(request, timeout=2).read().decode()
                threads = {}
                for thread in os.listdir(f"/proc/{shop}/task"):
                    name, secs = ticks(f"/proc/{shop}/task/{thread}") or ("", 0)
                    threads[name] = threads.get(name, 0) + secs
                row = {
                    "at": time.time(),
                    "rss": status(shop, "VmRSS"),
                    "anonymous": status(shop, "RssAnon"),
                    "threads": threads,
                    "busy": {name: (ticks(f"/proc/{pid}") or ("", 0))[1] for name, pid in
                             [("shop", shop), ("broker", broker), ("devices", devices)]},
                    "taken": metric(text, "aisle_stage_received_total", stage="reorder"),
                    "waiting": metric(text, "aisle_stage_depth", stage="reorder"),
                    "behind": metric(text, "aisle_stage_delay_seconds", stage="reorder"),
                }
                print(json.dumps(row), file=out, flush=True)
            except (OSError, ValueError) as error:
                print("not seen:", error, file=sys.stderr)
            time.sleep(1)


def middle(values, share=0.5):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def tell(folder):
    folder = pathlib.Path(folder)
    rows = [json.loads(line) for line in (folder / "watch.jsonl").read_text().splitlines()]
    devices = (folder / "devices.txt").read_text()
    print(devices, end="")
    sent = int(re.search(r"messages: (\d+) sent", devices).group(1))
    health = json.loads((folder / "health.json").read_text())
    counted = {}
    for device in health["items"]:
        for name, count in device.get("counters", {}).items():
            counted[name] = counted.get(name, 0) + count
    received = counted.get("received", 0)
    dropped = {name: count for name, count in counted.items() if name.startswith("dropped") and count}
    print(f"messages that became facts: {received} of {sent}; {dropped or 'none dropped'}; the broker: "
          f"{ {name: counted[name] for name in ('connects', 'disconnects', 'held_back', 'not_kept') if name in counted} }")
    text = (folder / "metrics.txt").read_text()
    lost = {}
    for line in text.splitlines():
        found = re.match(r'aisle_stage_dropped_total\{(.*)\} (\d+)', line)
        if found and int(found.group(2)):
            lost[found.group(1)] = int(found.group(2))
    print(f"lost in stages: {lost or 'nothing'}")
    # While devices speak: from when facts come until they come no more.
    moving = [row for before, row in zip(rows, rows[1:]) if 500 < row["taken"] - before["taken"]]
    first, last = moving[0], moving[-1]
    secs = last["at"] - first["at"]
    print(f"{secs:.0f} s, {(last['taken'] - first['taken']) / secs:.0f} facts a second into the engine")
    for name in last["busy"]:
        busy = max(row["busy"][name] for row in moving) - first["busy"][name]
        print(f"  processor of {name}: {100 * busy / secs:.1f} %")
    for name, busy in sorted(last["threads"].items(), key=lambda pair: -pair[1])[:6]:
        print(f"    thread {name}: {100 * (busy - first['threads'].get(name, 0)) / secs:.1f} %")
    waiting, behind = [row["waiting"] for row in moving], [row["behind"] for row in moving]
    print(f"facts that wait for their turn: {middle(waiting):.0f} in the middle, {max(waiting):.0f} at most; "
          f"{middle(behind):.2f} s behind, {max(behind):.2f} s at most")
    for minute in range(int((rows[-1]["at"] - rows[0]["at"]) / 60) + 1):
        row = min(rows, key=lambda row: abs(row["at"] - rows[0]["at"] - 60 * minute))
        print(f"  minute {minute}: {row['rss'] / 1024:.1f} MiB, of which not of files {row['anonymous'] / 1024:.1f}")
    booked = json.loads((folder / "receipts.json").read_text())["items"]
    replayed = json.loads((folder / "replay.json").read_text())["receipts"] if (folder / "replay.json").exists() else []
    print(f"receipts: {len(booked)} in the book, {len(replayed)} of the replay")
    return 0 if received == sent and not dropped and not lost and len(booked) == len(replayed) else 1


if sys.argv[1] == "watch":
    watch(*sys.argv[2:])
else:
    sys.exit(tell(sys.argv[2]))
