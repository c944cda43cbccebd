#!/bin/sh
# Replaces a gateway by the next one without a lost call:
#   roll-gateway.sh FOLDER SWITCH PORT PORT [FLAG...]
# Starts `bridge gateway` with the flags on the one of the two loopback ports that is free,
# waits until it listens, runs SWITCH with its address, which sends new connections there
# (a reload of the proxy in front, which passes TLS on as it is), and only then tells the
# old gateway to end, and waits until it has: it answers what it has begun.
# FOLDER, yours alone, keeps which port is in use, and the logs. The first run starts the
# first gateway. If the next one does not start, or SWITCH fails, the old one goes on.
# BRIDGE names the program, such as a newer one. For gateways on several machines, with one
# store in PostgreSQL, run it on one after the other.
set -eu
folder=${1:?usage: roll-gateway.sh FOLDER SWITCH PORT PORT [FLAG...]}
switch=${2:?usage: roll-gateway.sh FOLDER SWITCH PORT PORT [FLAG...]}
one=${3:?usage: roll-gateway.sh FOLDER SWITCH PORT PORT [FLAG...]}
two=${4:?usage: roll-gateway.sh FOLDER SWITCH PORT PORT [FLAG...]}
shift 4
umask 077
mkdir -p "$folder"
if ! mkdir "$folder/rolling" 2>/dev/null; then
	echo "roll-gateway: another run is under way, or was killed: if none runs, remove $folder/rolling" >&2
	exit 1
fi
trap 'rmdir "$folder/rolling"' EXIT

old='' oldport=''
if [ -e "$folder/gateway" ]; then
	read -r old oldport <"$folder/gateway"
	# A number may be another process's by now.
	case $(ps -p "$old" -o args= 2>/dev/null) in
	*"gateway --listen 127.0.0.1:$oldport"*) ;;
	*) old='' oldport='' ;;
	esac
fi
port=$one
[ "$oldport" != "$one" ] || port=$two

log=$folder/$port.log
nohup "${BRIDGE:-bridge}" gateway --listen "127.0.0.1:$port" --log-format json "$@" </dev/null >"$log" 2>&1 &
new=$!
give_up() {
	echo "roll-gateway: $1; what the next gateway says is in $log, the old one goes on" >&2
	kill "$new" 2>/dev/null || true
	exit 1
}
tries=0
until grep -q '"msg":"the gateway listens"' "$log"; do
	kill -0 "$new" 2>/dev/null || give_up "the next gateway ended"
	tries=$((tries + 1))
	[ "$tries" -le 600 ] || give_up "the next gateway does not listen after a minute"
	sleep 0.1
done
"$switch" "127.0.0.1:$port" || give_up "$switch failed"
echo "$new $port" >"$folder/gateway.new"
mv "$folder/gateway.new" "$folder/gateway"
[ -n "$old" ] || exit 0
kill "$old"
while kill -0 "$old" 2>/dev/null; do sleep 0.1; done
