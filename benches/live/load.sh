#!/usr/bin/env bash
# Plays a large shop into `aisle serve` for so many minutes, over a real broker: 40 boards that send every sample of their twelve
# plates by itself, 60 times a second, and six cameras that detect people, 15 times a second.
#
#   benches/live/load.sh [MINUTES [FOLDER]]
#
# Needs `aisle` (AISLE, or target/release/aisle), mosquitto, curl, python3, and cargo, unless AISLE_OPEN_SHOP names the program
# of `benches/open_shop.rs`. FOLDER is made, and keeps everything. It prints what was sent and what became of it, how late facts
# were stored, processor time by thread, memory over time, and whether the recording replays to the book. Exit status: 0, or 1
# where something was lost or the shop ended by itself.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
aisle=$(realpath "${AISLE:-target/release/aisle}")
minutes=${1:-10}
folder=${2:-$(mktemp -d -t aisle-load-XXXXXX)}
mkdir -p "$folder"
folder=$(realpath "$folder")
here=$PWD
pids=()
finish() { for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; }
trap finish EXIT

if [[ -n ${AISLE_OPEN_SHOP:-} ]]; then
  open_shop=$(realpath "$AISLE_OPEN_SHOP")
else
  # The last line names it in brackets.
  open_shop=$(realpath "$(cargo bench --no-run --bench open_shop 2>&1 | sed -n 's/.*(\(.*\))$/\1/p' | tail -1)")
fi
"$open_shop" film $((minutes * 60)) "$folder/film.mcap"
cd "$folder"

# A port that was free a moment ago.
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
broker=$(free_port) api=$(free_port)
cat >mosquitto.conf <<CONF
listener $broker 127.0.0.1
allow_anonymous true
persistence true
persistence_location $folder/
max_queued_messages 0
max_inflight_messages 0
CONF
[[ $(id -u) != 0 ]] || echo "user root" >>mosquitto.conf
mosquitto -c mosquitto.conf >mosquitto.log 2>&1 &
mosquitto=$!
pids+=("$mosquitto")

token=$("$aisle" token create --db book.db --role operator --holder load)
"$aisle" simulate --live --play film.mcap --broker "mqtt://127.0.0.1:$broker" --write-shop shop --truth truth.json \
  --walk-ins --lead 15 >devices.txt 2>&1 &
devices=$!
pids+=("$devices")
until [[ -e shop/devices.toml ]]; do sleep 0.1; done
"$aisle" serve --shop shop --db book.db --listen "127.0.0.1:$api" --record days --record-cut seen >serve.out 2>serve.log &
shop=$!
pids+=("$shop")
python3 "$here/benches/live/load.py" watch . "$shop" "$mosquitto" "$devices" "http://127.0.0.1:$api" "$token" &
pids+=($!)

status=0
wait "$devices" || status=$?
echo "devices ended with status $status"
# The last visits end by absence.
sleep 40
if ! kill -0 "$shop" 2>/dev/null; then
  echo "the shop ended by itself; the end of its log:"
  tail -20 serve.log
  exit 1
fi
ask() { curl -fsS -H "Authorization: Bearer $token" "http://127.0.0.1:$api/$1"; }
ask metrics >metrics.txt
ask v1/devices >health.json
ask 'v1/receipts?limit=200' >receipts.json
kill -TERM "$shop"
wait "$shop" || echo "the shop ended with status $?"
"$aisle" replay days --max-loss 100 --receipts replay.json >replay.txt || echo "the recording is not replayed"
"$open_shop" late days
python3 "$here/benches/live/load.py" tell .
