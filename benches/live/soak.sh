#!/usr/bin/env bash
# Plays a shop with faults into `aisle serve` for so many minutes, over a real broker, and says how right the receipts are.
#
#   benches/live/soak.sh [MINUTES [SEED [FOLDER]]]
#
# Needs `aisle` (AISLE, or target/release/aisle), mosquitto, curl, python3. FOLDER is made, and keeps everything: the film, the
# truth, the fault log, logs, memory over time, states of devices over time, the recording that the shop made. It prints
# receipts against the truth, memory of minute 5 and of the end, and how long each device took to come back after its fault.
# AISLE_LEVEL=room plays the film with all that goes wrong in a real room besides; AISLE_FAULT_EVERY=20 pulls a plug every 20 s,
# not every minute. Exit status: 0, or 1 where the shop
# ended by itself or a receipt is wrong without a mark.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
aisle=$(realpath "${AISLE:-target/release/aisle}")
minutes=${1:-5} seed=${2:-1}
folder=${3:-$(mktemp -d -t aisle-soak-XXXXXX)}
level=${AISLE_LEVEL:-clean}
lead=15
mkdir -p "$folder"
here=$PWD
cd "$folder"
pids=()
finish() { for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; }
trap finish EXIT

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
pids+=($!)

"$aisle" simulate --seconds $((minutes * 60)) --seed "$seed" --level "$level" --cut tracked -o film.mcap >film.txt
token=$("$aisle" token create --db book.db --role operator --holder soak)
"$aisle" simulate --live --play film.mcap --broker "mqtt://127.0.0.1:$broker" --write-shop shop --truth truth.json \
  --walk-ins --faults "$seed" --fault-every "${AISLE_FAULT_EVERY:-60}" --fault-log faults.jsonl --lead $lead >devices.txt 2>&1 &
devices=$!
pids+=("$devices")
until [[ -e shop/devices.toml ]]; do sleep 0.1; done
"$aisle" serve --shop shop --db book.db --listen "127.0.0.1:$api" --record days >serve.out 2>serve.log &
shop=$!
pids+=("$shop")

# Once a second: resident memory of the shop, and how its devices are.
(
  while kill -0 "$shop" 2>/dev/null; do
    echo "$(date +%s.%N) $(awk '/VmRSS/ { print $2 }' "/proc/$shop/status")"
    sleep 1
  done
) >memory.txt &
pids+=($!)
(
  while kill -0 "$shop" 2>/dev/null; do
    printf '%s ' "$(date +%s.%N)"
    curl -fsS --max-time 2 -H "Authorization: Bearer $token" "http://127.0.0.1:$api/v1/devices" 2>/dev/null || printf '[]'
    echo
    sleep 0.2
  done
) >health.txt &
pids+=($!)

status=0
wait "$devices" || status=$?
echo "devices ended with status $status"
cat devices.txt
# The last visits end by absence.
sleep 40
if ! kill -0 "$shop" 2>/dev/null; then
  echo "the shop ended by itself; the end of its log:"
  tail -20 serve.log
  exit 1
fi
curl -fsS -H "Authorization: Bearer $token" "http://127.0.0.1:$api/metrics" >metrics.txt || echo "no metrics"
after="" page=0
while :; do
  curl -fsS -H "Authorization: Bearer $token" "http://127.0.0.1:$api/v1/receipts?limit=200${after:+&after=$after}" >receipts-$page.json
  after=$(python3 -c 'import json, sys, urllib.parse; print(urllib.parse.quote(json.load(open(sys.argv[1])).get("next") or ""))' receipts-$page.json)
  page=$((page + 1))
  [[ -n $after ]] || break
done
python3 - receipts-*.json >carts.txt <<'PYTHON'
import json, sys
for name in sys.argv[1:]:
    for row in json.load(open(name))["items"]:
        print(row["cart"])
PYTHON
mkdir -p receipts
while read -r cart; do
  curl -fsS -H "Authorization: Bearer $token" -H 'Accept: application/json' "http://127.0.0.1:$api/v1/receipts/$cart" >"receipts/$cart.json"
done <carts.txt
kill -TERM "$shop"
wait "$shop" || echo "the shop ended with status $?"
"$aisle" replay days --max-loss 100 >replay.txt || echo "the recording is not replayed"
python3 "$here/benches/live/soak.py" .
