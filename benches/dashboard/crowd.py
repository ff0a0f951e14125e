#!/usr/bin/env python3
"""A shop in which many people walk about all the time and take things, played from outside over MQTT in real time: a tracker
of people, ten times a second, and three boards with plates. Standard library only.

    python3 crowd.py shop FOLDER BROKER                 writes a shop folder that `aisle serve --shop FOLDER` opens
    python3 crowd.py play BROKER PEOPLE SECONDS [SEED]  plays it; BROKER is HOST:PORT
"""
import json, math, pathlib, random, socket, struct, sys, time

UNITS, SHELVES, PLATES, WIDE = 3, 3, 8, 0.25
HERTZ = 10
CART = 6
WEIGHTS = [90 + number * 37 % 500 for number in range(UNITS * SHELVES * PLATES)]


def shop(folder, broker):
    text = """name = "crowd"
room = { polygon = [[0, 0], [9, 0], [9, 6], [0, 6]], height_metres = 2.9 }
zone = [{ name = "in", kind = "entrance", polygon = [[0.5, 0.1], [2, 0.1], [2, 1], [0.5, 1]] },
        { name = "out", kind = "exit", polygon = [[7, 0.1], [8.5, 0.1], [8.5, 1], [7, 1]] }]
policy = { absence_secs_max = 20 }
"""
    for number, grams in enumerate(WEIGHTS):
        text += f'[[product]]\nsku = "p{number}"\nname = "Goods {number} {grams} g"\nweight_grams = {grams}\nprice = "{1 + number % 5}.49"\n'
    for unit in range(UNITS):
        text += f"[[gondola]]\nx_metres = {0.5 + 2.8 * unit}\ny_metres = 5.4\nplate_count = {PLATES}\nplate_width_metres = {WIDE}\n"
        for shelf in range(SHELVES):
            first = (unit * SHELVES + shelf) * PLATES
            facings = ", ".join(f'{{ sku = "p{first + plate}", plates = {plate + 1} }}' for plate in range(PLATES))
            text += f"[[gondola.shelf]]\nheight_metres = {0.6 + 0.4 * shelf}\nfacings = [{facings}]\n"
    devices = f'[broker]\nurl = "mqtt://{broker}"\n[[board]]\nsource = "people"\nrate_hertz = {HERTZ}\n'
    devices += "".join(f'[[board]]\nsource = "board/{unit + 1}"\nrate_hertz = 5\n' for unit in range(UNITS))
    pathlib.Path(folder).mkdir()
    pathlib.Path(folder, "shop.toml").write_text(text)
    pathlib.Path(folder, "devices.toml").write_text(devices)


def mqtt(broker):
    """Connects, and gives a function that publishes a payload with quality 1 and waits until the broker has it."""
    host, port = broker.rsplit(":", 1)
    wire, number = socket.create_connection((host, int(port)), 10), 0

    def packet(kind, *parts):
        body, length, left = b"".join(parts), b"", sum(map(len, parts))
        while not length or left:
            length, left = length + bytes([left % 128 | (128 if left > 127 else 0)]), left // 128
        wire.sendall(bytes([kind]) + length + body)
        return wire.recv(4, socket.MSG_WAITALL)

    def publish(topic, payload):
        nonlocal number
        number = number % 65_535 + 1
        topic, told = topic.encode(), struct.pack(">H", number)
        answer = packet(0x32, struct.pack(">H", len(topic)), topic, told, payload.encode())
        assert answer == b"\x40\x02" + told, "the broker did not take it"

    assert packet(0x10, b"\0\4MQTT\4\2\0\0", b"\0\5crowd")[3:] == b"\0", "the broker refuses us"
    return publish


class Walker:
    """Comes in, walks from plate to plate, and takes one of what stands there, until there are six in the cart; then they go back."""

    def __init__(self, number, dice):
        self.track, self.dice = str(number + 1), dice
        self.place, self.wait, self.reach = [dice.uniform(0.8, 1.7), 0.5], 0.0, None
        self.cart, self.gives = [], False
        self.aim()

    def aim(self):
        self.gives = bool(self.cart) and (self.gives or len(self.cart) == CART)
        unit, shelf, plate = self.dice.randrange(UNITS), self.dice.randrange(SHELVES), self.dice.randrange(PLATES)
        self.goods = unit, shelf, plate = self.cart.pop() if self.gives else (unit, shelf, plate)
        self.goal = [0.5 + 2.8 * unit + WIDE * (plate + 0.5), 4.75 - 0.5 * self.dice.random()]

    def step(self, secs, move):
        if self.wait > 0:
            self.wait -= secs
            if self.reach and self.wait < 1.0:
                move(self.goods, 1 if self.gives else -1)
                self.cart += [] if self.gives else [self.goods]
                self.reach = None
            if self.wait <= 0:
                self.aim()
            return
        x, y = (goal - at for goal, at in zip(self.goal, self.place))
        far = math.hypot(x, y)
        if far < 0.1:
            self.wait, self.reach = self.dice.uniform(2.5, 8.0), True
            return
        step = min(far, 0.9 * secs)
        self.place = [self.place[0] + x / far * step, self.place[1] + y / far * step]

    def joints(self):
        (x, y), (unit, shelf, _) = self.place, self.goods
        hand = [x + 0.1, 5.5, 0.7 + 0.4 * shelf] if self.reach and self.wait > 0 else [x + 0.2, y + 0.1, 0.9]
        places = {"head": [x, y, 1.6], "neck": [x, y, 1.4], "left_shoulder": [x - 0.2, y, 1.35], "right_shoulder": [x + 0.2, y, 1.35],
                  "left_elbow": [x - 0.25, y, 1.1], "right_elbow": [x + 0.25, y, 1.1], "left_wrist": [x - 0.2, y + 0.05, 0.9], "right_wrist": hand}
        return {name: {"position": [round(value, 3) for value in place], "score": 0.9} for name, place in places.items()}


def play(broker, people, seconds, seed):
    publish, dice, numbers, begun = mqtt(broker), random.Random(seed), {}, time.time()
    stock = [grams * 40.0 for grams in WEIGHTS]
    walkers, moved = [], [0]

    def say(topic, body):
        source = topic.split("/", 1)[1]
        stamp = {"source": source, "sequence": numbers.setdefault(topic, 0), "at": time.time_ns(), "arrived": 0}
        numbers[topic] += 1
        publish("aisle/crowd/" + topic, json.dumps({"stamp": stamp, "body": body}))

    def move(goods, units):
        at = (goods[0] * SHELVES + goods[1]) * PLATES + goods[2]
        stock[at] += units * WEIGHTS[at]
        moved[0] += 1

    late = 0.0
    for tick in range(int(seconds * HERTZ)):
        due = begun + tick / HERTZ
        late = max(late, time.time() - due)
        time.sleep(max(0.0, due - time.time()))
        # Two seconds of quiet, then one a second.
        if tick >= 20 and tick % 10 == 0 and len(walkers) < people:
            walkers.append(Walker(len(walkers), dice))
        for walker in walkers:
            walker.step(1 / HERTZ, move)
        if tick % 2:
            for unit in range(UNITS):
                span = range(unit * SHELVES * PLATES, (unit + 1) * SHELVES * PLATES)
                names = [f"{unit + 1}-{at // PLATES % SHELVES + 1}-{at % PLATES + 1}" for at in span]
                grams = [round(stock[at] + dice.gauss(0, 0.4), 1) for _ in range(12) for at in span]
                first = time.time_ns() - 11 * 16_666_667
                say(f"plates/board/{unit + 1}", {"first_at": first, "period": 16_666_667, "plates": names, "grams": grams})
        say("people/people", {"people": [{"track": walker.track, "joints": walker.joints()} for walker in walkers]})
    print(f"{len(walkers)} people, {moved[0]} times a thing was taken or put back, {late:.2f} s late at most", flush=True)


if sys.argv[1] == "shop":
    shop(sys.argv[2], sys.argv[3])
else:
    play(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]) if len(sys.argv) > 5 else 1)
