#!/bin/sh
# Replaces a gateway with a new one without losing a call:
#   roll-gateway.sh FOLDER SWITCH PORT PORT [FLAG...]
# It starts `bridge gateway` with the flags on whichever of the two loopback ports is free,
# and waits until it listens, which it does once it has opened the store. Then it runs SWITCH
# with the new gateway's address. SWITCH must direct new connections there, for example by
# reloading a proxy that passes TLS through unchanged. After that it tells the old gateway to
# end, and waits until it has answered the calls under way and ended.
# FOLDER must be accessible to you only. It records the port in use, and contains the logs,
# in JSON at level info. The first run starts the first gateway. If the new gateway does not
# start, or SWITCH fails (in which case it must not have changed anything), the old gateway
# keeps running. The same applies if the script is stopped before SWITCH. If it is stopped
# later, the next run completes the work, and may run SWITCH again with the same address.
# Without setsid, as on macOS, Ctrl-C also ends the new gateway.
# BRIDGE names the program, for example a newer one. For a program with a new schema version
# see docs/operations.md, "Upgrade". For gateways on several machines with one store in
# PostgreSQL, run it on one machine after the other.
set -eu
folder=${1:?usage: roll-gateway.sh FOLDER SWITCH PORT PORT [FLAG...]}
switch=${2:?usage: roll-gateway.sh FOLDER SWITCH PORT PORT [FLAG...]}
one=${3:?usage: roll-gateway.sh FOLDER SWITCH PORT PORT [FLAG...]}
two=${4:?usage: roll-gateway.sh FOLDER SWITCH PORT PORT [FLAG...]}
shift 4

say() { echo "roll-gateway: $1" >&2; }

# is_gateway PROCESS PORT: the process ID may have been reused, or be that of a
# zombie.
is_gateway() {
	[ -n "$1" ] || return 1
	if [ -e /proc/self/cmdline ]; then
		said=$({ tr '\0' ' ' <"/proc/$1/cmdline"; } 2>/dev/null) || return 1
	else
		said=$(ps -ww -p "$1" -o args= 2>/dev/null) || return 1
	fi
	case "$said " in
	*"gateway --listen 127.0.0.1:$2 "*) ;;
	*) return 1 ;;
	esac
}

# runs PROCESS: a zombie, which init may never reap, does not count as running.
runs() { kill -0 "$1" 2>/dev/null && ! grep -qs '^State:.[XZ]' "/proc/$1/status"; }

# note FILE TEXT: writes the file atomically, so that it is never seen
# incomplete.
note() {
	echo "$2" >"$folder/$1.new"
	mv "$folder/$1.new" "$folder/$1"
}

starting='' # the process that ends where this one does
leave() {
	if [ -n "$starting" ]; then
		kill "$starting" 2>/dev/null || true
		tries=0
		while is_gateway "$starting" "$port" && [ "$tries" -lt 100 ]; do
			tries=$((tries + 1))
			sleep 0.1 || true
		done
		rm -f "$folder/next"
	fi
	rmdir "$folder/rolling"
}

give_up() {
	say "$1; what the next gateway says is in $log, the old one goes on"
	exit 1
}

# take makes the gateway $new, which listens on $port, replace the old one. From SWITCH
# until the record is written, signals end only SWITCH and not this script.
take() {
	trap : HUP INT TERM
	note next "$new $port switching $old $oldport"
	if ! "$switch" "127.0.0.1:$port"; then
		[ -n "$starting" ] && give_up "$switch failed"
		say "$switch failed; an earlier run was killed while it switched, so the proxy may use either gateway, and both go on: run this again"
		exit 1
	fi
	starting=''
	note gateway "$new $port"
	[ -z "$old" ] || kill "$old" 2>/dev/null || true
	rm -f "$folder/next"
	trap 'say "the next gateway is in use, and the old one has not ended yet"; exit 1' HUP INT TERM
	while [ -n "$old" ] && runs "$old"; do sleep 0.1; done
	old=$new oldport=$port
}

umask 077
mkdir -p "$folder"
if ! mkdir "$folder/rolling" 2>/dev/null; then
	say "another run is under way, or was killed: if none runs, remove $folder/rolling"
	exit 1
fi
trap leave EXIT
trap 'exit 1' HUP INT TERM

old='' oldport=''
if [ -e "$folder/gateway" ]; then
	read -r old oldport <"$folder/gateway" || true # a power cut may have left it empty
fi
is_gateway "$old" "$oldport" || old='' oldport=''
if [ -e "$folder/next" ]; then # of a run that was killed
	read -r new port step before beforeport <"$folder/next" || true
	if is_gateway "$new" "$port"; then
		if [ "$step" = switching ]; then
			old=$before oldport=$beforeport
			is_gateway "$old" "$oldport" || old='' oldport=''
			take
		else # nobody was sent to it
			starting=$new
			kill "$new"
			while is_gateway "$new" "$port"; do sleep 0.1; done
			starting=''
		fi
	fi
	rm -f "$folder/next"
fi

port=$one
[ "$oldport" != "$one" ] || port=$two
log=$folder/$port.log
: >"$log" # here, and not by the next gateway: what an earlier one said must be gone
apart=''
! command -v setsid >/dev/null 2>&1 || apart=setsid
# The process records its ID before it becomes the gateway. Flags at the end take
# precedence.
# shellcheck disable=SC2016,SC2086 # its own shell reads it; nothing, or one word
nohup $apart sh -c 'echo "$$ $2 starting" >"$1/next" && shift 2 && exec "$@"' next "$folder" "$port" \
	"${BRIDGE:-bridge}" gateway --listen "127.0.0.1:$port" "$@" --log-format json --log-level info </dev/null >>"$log" 2>&1 &
new=$!
starting=$new
tries=0
until grep -q '"msg":"the gateway listens"' "$log"; do
	kill -0 "$new" 2>/dev/null || give_up "the next gateway ended"
	tries=$((tries + 1))
	[ "$tries" -le 600 ] || give_up "the next gateway does not listen after a minute"
	sleep 0.1
done
is_gateway "$new" "$port" || give_up "the next gateway ended"
take
