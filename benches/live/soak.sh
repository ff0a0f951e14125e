#!/usr/bin/env bash
# Plays a shop with faults into `aisle serve` for so many minutes, on real servers, and says how right the receipts are.
#
#   benches/live/soak.sh [MINUTES [SEED [FOLDER]]]
#
# Needs `aisle` (AISLE, or target/release/aisle), mosquitto, curl, python3; PostgreSQL for the book; with cameras ffmpeg and
# GStreamer's RTSP server (`.ci/rtsp install`). FOLDER is made, and keeps everything: the film, the truth, the fault logs, logs,
# memory over time, states of devices over time, the recording that the shop made.
#
# Once a minute something fails, by turns: in odd minutes a plug of the simulated devices is pulled (`simulate --live --faults`),
# in even ones the broker, the database or the RTSP server is killed, and started again some seconds later. Receipts are held
# against the truth and against those that the film has without faults (`aisle replay`). It prints both, the memory of minute 5
# and of the end, and how long each device took to come back after its fault.
#
#   AISLE_LEVEL=room      the film has all that goes wrong in a real room besides
#   AISLE_FAULT_EVERY=20  something fails every 20 s, not every minute; 0: nothing does
#   AISLE_CAMERAS=no      people are told of over MQTT alone; otherwise the film's cameras send too, one of them over RTSP
#   AISLE_FILM=FILE       a film that was simulated before
#   AISLE_LOOK_HERTZ=1    so many frames a second of each camera are looked at
#   AISLE_DB=FILE         a book on SQLite, whose database is not killed
#
# Exit status: 0, or 1 where the shop ended by itself or a receipt is wrong without a mark that is right without faults.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=$PWD
aisle=$(realpath "${AISLE:-target/release/aisle}")
minutes=${1:-5} seed=${2:-1}
folder=${3:-$(mktemp -d -t aisle-soak-XXXXXX)}
level=${AISLE_LEVEL:-clean} every=${AISLE_FAULT_EVERY:-60} cameras=${AISLE_CAMERAS:-yes} look=${AISLE_LOOK_HERTZ:-1}
film=${AISLE_FILM:+$(realpath "$AISLE_FILM")}
lead=15
mkdir -p "$folder"
folder=$(realpath "$folder")
cd "$folder"
pids=() database="" rtsp="" mosquitto=""
finish() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  [[ -z $mosquitto ]] || kill "$(cat mosquitto.pid)" 2>/dev/null || true
  [[ -z $rtsp ]] || "$here/.ci/rtsp" stop "$rtsp" || true
  [[ -z $database ]] || "$here/.ci/postgres" stop "$database" 2>/dev/null || true
}
trap finish EXIT

# A port that was free a moment ago.
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
broker=$(free_port) api=$(free_port)

cat >mosquitto.conf <<CONF
listener $broker 127.0.0.1
allow_anonymous true
persistence true
persistence_location $folder/
autosave_interval 5
pid_file $folder/mosquitto.pid
max_queued_messages 0
max_inflight_messages 0
CONF
[[ $(id -u) != 0 ]] || echo "user root" >>mosquitto.conf
PATH=$PATH:/usr/sbin
start_broker() {
  mosquitto -d -c mosquitto.conf >>mosquitto.log 2>&1
  until listens "$broker"; do sleep 0.02; done
}
start_broker
mosquitto=yes

if [[ -z $film ]]; then
  cut=(--cut tracked)
  [[ $cameras != yes ]] || cut=(--cut raw --rate 2 --width 320)
  # A shop that says where people come in and go out.
  "$aisle" simulate --shop micro-market --seconds $((minutes * 60)) --seed "$seed" --level "$level" "${cut[@]}" \
    -o film.mcap >film.txt
  film=$folder/film.mcap
fi
"$aisle" replay "$film" --receipts reference.json --max-loss 100 >reference.txt

if [[ -n ${AISLE_DB:-} ]]; then
  book=$AISLE_DB
else
  database=$("$here/.ci/postgres" start 2>postgres.log)
  book=$database
fi
export AISLE_DB=$book
token=$("$aisle" token create --role operator --holder soak)
umask 077
printf '%s' "$token" >token

play=(--live --play "$film" --broker "mqtt://127.0.0.1:$broker" --write-shop shop --truth truth.json --walk-ins --lead "$lead")
[[ $cameras != yes ]] || play+=(--people --cameras-listen 127.0.0.1:0)
# Its plugs are pulled in the first of two turns each.
[[ $every == 0 ]] || play+=(--faults "$seed" --fault-every $((every * 2)) --fault-log faults.jsonl)
"$aisle" simulate "${play[@]}" >devices.txt 2>&1 &
devices=$!
pids+=("$devices")
until [[ -e shop/devices.toml ]]; do
  kill -0 "$devices" || { cat devices.txt && exit 1; }
  sleep 0.1
done
opened=$(date +%s)

if [[ $cameras == yes ]]; then
  # The first camera is an H.264 camera that speaks RTSP, and shows what the simulated one does.
  name=$(sed -n 's/^name = "\(.*\)"/\1/p' shop/devices.toml | head -1)
  url=$(sed -n 's/^url = "\(http.*\)"/\1/p' shop/devices.toml | head -1)
  export AISLE_RTSP_LAUNCH="( souphttpsrc location=$url is-live=true do-timestamp=true ! multipartdemux ! jpegdec ! videoconvert !
    x264enc tune=zerolatency speed-preset=ultrafast key-int-max=2 ! rtph264pay name=pay0 pt=96 config-interval=1 )"
  rtsp=$("$here/.ci/rtsp" start)
  sed -i "s|^url = \"$url\"|url = \"$rtsp\"|; s|^frozen_secs = .*|&\nrate_hertz = $look|" shop/devices.toml
fi

"$aisle" serve --shop shop --listen "127.0.0.1:$api" --record days --journal journal >serve.out 2>serve.log &
shop=$!
pids+=("$shop")

# Something that is no simulated device is killed, and lives again some seconds later.
told() { echo "{\"kind\":\"$1\",\"device\":\"$2\",\"from\":$3,\"until\":$4,\"step_secs\":0}" >>kills.jsonl; }
pull() {
  local from
  from=$(date +%s%N)
  case $1 in
    broker)
      kill -9 "$(cat mosquitto.pid)"
      sleep 4
      start_broker
      told broker_killed broker "$from" "$(date +%s%N)"
      ;;
    database)
      "$here/.ci/postgres" kill "$database" 2>>postgres.log
      sleep 8
      "$here/.ci/postgres" again "$database" 2>>postgres.log
      told database_killed book "$from" "$(date +%s%N)"
      ;;
    camera)
      "$here/.ci/rtsp" stop "$rtsp"
      sleep 6
      "$here/.ci/rtsp" start "$(sed 's|.*:\([0-9]*\)/.*|\1|' <<<"$rtsp")" >/dev/null
      told camera_killed "camera/$name" "$from" "$(date +%s%N)"
      ;;
  esac
}
kills=(broker)
[[ -z $database ]] || kills+=(database)
[[ -z $rtsp ]] || kills+=(camera)
(
  [[ $every != 0 ]] || exit 0
  for turn in $(seq 0 1000); do
    # Behind what is pulled in the turn before it.
    at=$((opened + lead + every * 2 * turn + every * 9 / 5))
    [[ $at -lt $((opened + lead + minutes * 60 - 40)) ]] || break
    while [[ $(date +%s) -lt $at ]]; do sleep 0.2; done
    pull "${kills[turn % ${#kills[@]}]}"
  done
) >kills.log 2>&1 &
pids+=($!)

# Once a second: resident memory of the shop, and five times a second how its devices are.
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
ask() { curl -fsS -H "Authorization: Bearer $token" -H 'Accept: application/json' "http://127.0.0.1:$api$1"; }
curl -fsS -H "Authorization: Bearer $token" "http://127.0.0.1:$api/metrics" >metrics.txt || echo "no metrics"
"$aisle" doctor --api "http://127.0.0.1:$api" --token-file token >doctor.txt || echo "the doctor is not there"
after="" page=0
while :; do
  ask "/v1/receipts?limit=200${after:+&after=$after}" >receipts-$page.json
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
  ask "/v1/receipts/$cart" >"receipts/$cart.json"
done <carts.txt
kill -TERM "$shop"
wait "$shop" || echo "the shop ended with status $?"
"$aisle" replay days --max-loss 100 --receipts replayed.json >replay.txt || echo "the recording is not replayed"
python3 "$here/benches/live/soak.py" .
