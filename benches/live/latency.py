#!/usr/bin/env python3
"""Reads the live stream of an open shop while a simulated film is played into it, and says how long everything took.

    latency.py API TOKEN_FILE TRUTH SECONDS

Pick to cart: from the end of a true take (the last sample before the plate came to rest) to the event with that cart, received
here. Exit to receipt: from when the shopper was last seen to the event of the receipt. Times are of this machine's clock.
"""
import json
import sys
import time
import urllib.request


def stream(api, token, until):
    request = urllib.request.Request(api + "/v1/live", headers={"Authorization": "Bearer " + token})
    with urllib.request.urlopen(request, timeout=30) as answer:
        for line in answer:
            if line.startswith(b"data:"):
                yield time.time(), json.loads(line[5:])
            if until < time.time():
                return


def secs(text):
    from datetime import datetime
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def told(name, delays):
    delays.sort()
    if not delays:
        return print(f"{name}: none")
    at = lambda share: delays[min(len(delays) - 1, int(share * len(delays)))]
    print(f"{name}: n {len(delays)}, p50 {at(.5):.2f} s, p95 {at(.95):.2f} s, p99 {at(.99):.2f} s, most {delays[-1]:.2f} s")


def main():
    api, token, truth, lasting = sys.argv[1], open(sys.argv[2]).read().strip(), sys.argv[3], float(sys.argv[4])
    carts, receipts, behind = [], [], []
    for came, change in stream(api, token, time.time() + lasting):
        if change.get("change") == "carts":
            carts.append((came, {visit["visit"]: {line["sku"]: line["quantity"] for line in visit["lines"]}
                                 for visit in change["visits"]}))
            behind.append(came - secs(change["at"]))
        if change.get("change") == "receipt":
            receipts.append(came - secs(change["at"]))
    # A shop that makes its own people names visits in its own way: then anybody's cart will do.
    names = {visit for _, visits in carts for visit in visits}
    held, picks, missed = {}, [], 0
    for action in sorted(json.load(open(truth))["actions"], key=lambda action: action["span"]["end"]):
        key, sign = (action["visit"], action["sku"]), 1 if action["movement"] == "take" else -1
        held[key] = held.get(key, 0) + sign * action["quantity"]
        end = action["span"]["end"] / 1e9
        shown = lambda visits: [visits.get(key[0], {})] if key[0] in names else visits.values()
        seen = next((came - end for came, visits in carts
                     if end - 1 < came and any(cart.get(key[1], 0) == held[key] for cart in shown(visits))), None)
        picks.append(seen) if seen is not None and seen < 20 else None
        missed += seen is None or 20 <= seen
    told("pick to cart", picks)
    print(f"picks never shown within 20 s: {missed}")
    told("exit to receipt", receipts)
    told("carts behind", behind)


main()
