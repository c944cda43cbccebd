#!/usr/bin/env bash
# soak.sh BRIDGE [SECONDS] [AGENTS]: runs `bridge stress` with kills and tasks. At the same
# time, on the same store, conversations are created, rotated, expire and are cleaned up, the
# audit log is verified, and the watchdog and the inbox run. It fails unless everything sent was
# received and every concurrent command succeeded. With SERVER=postgres://USER@HOST/DATABASE,
# the store is in a schema of its own there (needs psql). Agents and commands retry what the
# server does not answer for a moment, with the same key, as the error messages advise.
set -euo pipefail
bridge=$(realpath "$1") seconds=${2:-240} agents=${3:-100}
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$dir"' EXIT

# scratch: the schemas of this run, and of earlier runs that were killed.
scratch() {
	psql "$SERVER" -AtXc "SELECT schemaname FROM pg_tables WHERE schemaname LIKE 'bridge_scratch_%' AND tablename = 'store' ORDER BY 1"
}
left=
[ -z "${SERVER:-}" ] || left=$(scratch)

"$bridge" stress --agents "$agents" --conversations $((agents / 2)) --duration "${seconds}s" --rate "${RATE:-100}" \
	--kills $((seconds / 4)) --tasks "$agents" --dir "$dir" ${SERVER:+--db "$SERVER"} --json >"$dir/report.json" 2>"$dir/report.err" &
stress=$!
find_store() {
	if [ -z "${SERVER:-}" ]; then
		find "$dir" -name bridge.db -print -quit
		return
	fi
	local schema
	schema=$(scratch | grep -vxF -e "$left" | head -1)
	[ -z "$schema" ] || echo "$SERVER$([[ $SERVER == *\?* ]] && echo '&' || echo '?')search_path=$schema"
}
for _ in $(seq 300); do
	db=$(find_store)
	[ -n "$db" ] && break
	sleep 0.1
done
[ -n "$db" ] || { echo "soak: the store was not created"; cat "$dir/report.err"; exit 1; }

# The test has its own home folder, which it removes at the end.
place=$(find "$dir" -mindepth 1 -maxdepth 1 -type d -print -quit)
# shellcheck disable=SC2317
on_store() { HOME=$place XDG_STATE_HOME=$place XDG_CONFIG_HOME=$place BRIDGE_DB=$db "$bridge" "$@"; }

# tried OUT COMMAND...: runs a command, and repeats it if the store was busy or its server did
# not answer for a moment, and the message says that nothing was stored.
tried() {
	local out=$1
	shift
	for _ in 1 2 3 4 5; do
		"$@" >"$out" 2>&1 && return
		grep -qE "the store is busy|server of the store does not answer" "$out" || break
		echo >>"$dir/again"
		sleep 1
	done
	return 1
}

# beside NAME COMMAND...: runs a command on the store repeatedly until the stress test
# ends.
beside() {
	local name=$1 runs=0
	shift
	while kill -0 $stress 2>/dev/null; do
		if ! tried "$dir/$name.out" "$@" && kill -0 $stress 2>/dev/null && [ -e "$place" ]; then # stress removes it
			{ echo "soak: $name failed:" && tail -5 "$dir/$name.out"; } >>"$dir/failed"
		fi
		runs=$((runs + 1))
		echo "$runs" >"$dir/$name.runs"
		sleep 1
	done
}

# rotated: creates a conversation that lives for a minute, and replaces its tokens.
# beside calls it.
# shellcheck disable=SC2317
rotated() {
	local id
	id=$({
		printf '%s\n' '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"soak","version":"1"}}}' \
			'{"jsonrpc":"2.0","method":"notifications/initialized"}' \
			'{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"create_conversation","arguments":{"my_role":"a","partner_role":"b","ttl_minutes":1}}}'
	} | on_store serve | grep -o 'conv_[0-9a-f]\{16\}' | head -1)
	on_store tokens "$id" --rotate
}

# cleaned: runs a cleanup, and repeats it as its message advises if removed text stays
# in the log because of a reader. On a busy machine there is almost always a reader.
# shellcheck disable=SC2317
cleaned() {
	local said
	for _ in 1 2 3; do
		said=$(on_store cleanup 2>&1) && return
		[[ $said == *"another process is reading from the log"* ]] || break
	done
	echo "$said"
	return 1
}

beside cleanup cleaned &
beside rotation rotated &
beside verify on_store audit verify &
beside watchdog on_store fleet watchdog --once --alert-only &
beside list on_store list &
code=0
wait $stress || code=$?
wait
[ "$code" = 0 ] || tail -5 "$dir/report.err"
cat "$dir/report.json"
for runs in "$dir"/*.runs; do echo "$(basename "$runs" .runs): $(cat "$runs") runs"; done
[ ! -e "$dir/again" ] || echo "tried again: $(wc -l <"$dir/again") runs"
if [ -s "$dir/failed" ]; then cat "$dir/failed"; code=1; fi
exit "$code"
