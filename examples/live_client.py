#!/usr/bin/env python3
"""Plays a shop from outside: a board with four plates and a tracker of people speak MQTT, somebody takes a can and leaves, and
what aisle makes of it is read over HTTP. Standard library only; paho-mqtt is used where it is installed.

    python3 live_client.py shop corner --broker 127.0.0.1:1883      writes a shop folder that `aisle serve --shop corner` opens
    python3 live_client.py play --broker 127.0.0.1:1883 --api http://127.0.0.1:8080 --token aisle_...    plays it
"""
import argparse, json, pathlib, socket, struct, threading, time, urllib.request

SHOP = """name = "corner"
product = [{ sku = "cola", name = "Cola", weight_grams = 350, price = "1.49" }]
policy = { absence_secs_max = 5 }
gondola = [{ plate_count = 4, plate_width_metres = 0.1, shelf = [
  { height_metres = 1.0, facings = [{ sku = "cola", plates = 1 }] }] }]
"""
DEVICES = '[broker]\nurl = "mqtt://%s"\n[[board]]\nsource = "board/1"\nrate_hertz = 5\n[[board]]\nsource = "people"\nrate_hertz = 10\n'


def mqtt(host, port):
    """Connects, and gives a function that publishes a payload with quality 1 and waits until the broker has it."""
    try:
        import paho.mqtt.client as paho
        client = paho.Client(paho.CallbackAPIVersion.VERSION2) if hasattr(paho, "CallbackAPIVersion") else paho.Client()
        client.connect(host, port)
        client.loop_start()
        return lambda topic, payload: client.publish(topic, payload, qos=1).wait_for_publish(10)
    except ImportError:
        wire, numbers = socket.create_connection((host, port), 10), iter(range(1, 65_536))

    def packet(kind, *parts):
        body, length, left = b"".join(parts), b"", sum(map(len, parts))
        while not length or left:
            length, left = length + bytes([left % 128 | (128 if left > 127 else 0)]), left // 128
        wire.sendall(bytes([kind]) + length + body)
        return wire.recv(4, socket.MSG_WAITALL)

    def publish(topic, payload):
        number, topic = struct.pack(">H", next(numbers)), topic.encode()
        answer = packet(0x32, struct.pack(">H", len(topic)), topic, number, payload.encode())
        assert answer == b"\x40\x02" + number, "the broker did not take it"
    assert packet(0x10, b"\0\4MQTT\4\2\0\0", b"\0\x0blive-client")[3:] == b"\0", "the broker refuses us"
    return publish


def play(publish):
    """Twelve seconds of quiet, a shopper for ten who takes a can after five, and quiet until the visit is over."""
    numbers, begun = {"plates/board/1": 0, "people/people": 0}, time.time()

    def say(topic, body):
        stamp = {"source": topic.split("/", 1)[1], "sequence": numbers[topic], "at": time.time_ns(), "arrived": 0}
        numbers[topic] += 1
        publish("aisle/corner/" + topic, json.dumps({"stamp": stamp, "body": body}))

    for tick in range(520):  # ten a second
        time.sleep(max(0.0, begun + tick / 10 - time.time()))
        if tick % 2:  # every 0.2 s the twelve samples since the last time, one row of four plates after the other
            noise = [0.2 * ((number * 7 + tick) % 5 - 2) for number in range(48)]
            can = 350 if tick < 173 else 0
            grams = [1_000 + noise[number] + (0 if number % 4 else can) for number in range(48)]
            say("plates/board/1", {"first_at": time.time_ns() - 11 * 16_666_667, "period": 16_666_667,
                                   "plates": ["1-1-1", "1-1-2", "1-1-3", "1-1-4"], "grams": grams})
        reach = 0.15 if 160 <= tick < 185 else -0.3
        places = {"head": [0.05, -0.5, 1.6], "neck": [0.05, -0.5, 1.4], "left_shoulder": [-0.15, -0.5, 1.35],
                  "right_shoulder": [0.25, -0.5, 1.35], "left_wrist": [-0.15, -0.45, 0.9], "right_wrist": [0.05, reach, 1.1]}
        joints = {name: {"position": place, "score": 0.9} for name, place in places.items()}
        say("people/people", {"people": [{"track": "7", "joints": joints}] if 120 <= tick < 220 else []})


def ask(options, path):
    headers = {"Authorization": "Bearer " + options.token}
    return urllib.request.urlopen(urllib.request.Request(options.api + path, headers=headers), timeout=60)


def watch(options):
    """Prints each event of the live stream; of people, who are many a second, nothing."""
    kind = ""
    for line in ask(options, "/v1/live"):
        name, _, value = line.decode().rstrip("\n").partition(": ")
        kind = value if name == "event" else kind
        if name == "data" and kind != "people":
            print(kind, value[:500], flush=True)


arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
arguments.add_argument("what", choices=["shop", "play"])
arguments.add_argument("folder", nargs="?", type=pathlib.Path)
for option, usual in [("--broker", "127.0.0.1:1883"), ("--api", None), ("--token", None)]:
    arguments.add_argument(option, default=usual)
options = arguments.parse_args()
if options.what == "shop":
    options.folder.mkdir()
    (options.folder / "shop.toml").write_text(SHOP)
    (options.folder / "devices.toml").write_text(DEVICES % options.broker)
else:
    threading.Thread(target=watch, args=[options], daemon=True).start() if options.api else None
    host, port = options.broker.rsplit(":", 1)
    play(mqtt(host, int(port)))
    if options.api:
        print("receipts", ask(options, "/v1/receipts").read().decode())
