#!/bin/sh
# Drives the bridge with the command line of the MCP Inspector, a third-party
# MCP client: scripts/test-inspector.sh bin/bridge
# If npm cannot install it, the test is skipped with a message.
set -eu
bridge=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export BRIDGE_DB="$work/state/bridge.db"

tools=${NODE22:-"$work/node"}
if ! bin=$(sh "$(dirname "$0")/node22.sh" "$tools" @modelcontextprotocol/inspector@2.12.0); then
	echo "SKIPPED: the MCP Inspector needs Node 22 and npm (see above)"
	exit 0
fi
PATH="$bin:$PATH"
HOME="$work"
export PATH HOME

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

# inspect METHOD [OPTION…] calls a method. A warning counts as a failure.
inspect() {
	mcp-inspector --cli "$@" -e "BRIDGE_DB=$BRIDGE_DB" "$bridge" serve 2>"$work/stderr" || {
		cat "$work/stderr" >&2
		fail "$*"
	}
	if grep -iE 'warn|error|problem|issue' "$work/stderr" >&2; then
		fail "$*: warned"
	fi
}

# field NAME prints a string field of the JSON on standard input.
field() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" | head -n 1; }

# call TOOL [ARGUMENT…] calls a tool, in the protocol era $era.
call() {
	tool=$1
	shift
	inspect --protocol-era "$era" --method tools/call --tool-name "$tool" --tool-arg "$@"
}

# load TOOL [ARGUMENT…] calls it 300 times as session a of $conversation, ten
# calls at a time. Each call must succeed.
load() {
	tool=$1
	shift
	inspect --protocol-era "$era" --method tools/call --tool-name "$tool" --load --load-requests 300 --load-concurrency 10 --format json \
		--tool-arg "conversation_id=$conversation" session_id=a "token=$a" "$@" >"$work/load"
	cat "$work/load"
	grep -q '"requests":300,"ok":300,' "$work/load" || fail "$tool: not every call succeeded"
}

# follow URI makes the Inspector subscribe to a resource as session a of $conversation,
# lets another process change it, and waits for the notification.
follow() {
	mcpdo connect --connection "$era" --era "$era" -e "BRIDGE_DB=$BRIDGE_DB" -e "BRIDGE_CONVERSATION_ID=$conversation" \
		-e BRIDGE_SESSION_ID=a -e "BRIDGE_TOKEN=$a" -- "$bridge" serve </dev/null >"$work/connected" 2>&1 ||
		fail "connect: $(cat "$work/connected")"
	mcpdo --connection "$era" --format json resources/subscribe "$1" </dev/null >"$work/followed" 2>&1 &
	following=$!
	wait_for '"subscribed"' "$work/followed"
	call update_my_status "conversation_id=$conversation" session_id=b "token=$b" status=blocked >/dev/null
	wait_for updated "$work/followed"
	kill "$following" 2>/dev/null || true
	wait "$following" 2>/dev/null || true
	# A resource of another conversation must be refused.
	if mcpdo --connection "$era" resources/subscribe "collaboration://conv_0123456789abcdef" </dev/null >"$work/foreign" 2>&1; then
		fail "another agent's conversation can be followed: $(cat "$work/foreign")"
	fi
	grep -q 'no such resource' "$work/foreign" || fail "another agent's conversation: $(cat "$work/foreign")"
	mcpdo disconnect "$era" </dev/null >/dev/null 2>&1 || true
}

# wait_for PATTERN FILE waits until a line of the file matches.
wait_for() {
	for _ in $(seq 300); do
		! grep -q "$1" "$2" || return 0
		sleep 0.1
	done
	fail "nothing with $1: $(cat "$2")"
}

# Connections of mcpdo live in a daemon; this script uses its own.
eval "$(mcpdo private)"
trap 'mcpdo daemon stop </dev/null >/dev/null 2>&1 || true; rm -rf "$work"' EXIT

for era in legacy modern; do
	echo "== $era protocol era"
	inspect --protocol-era "$era" --method tools/list --strict >"$work/tools"
	for tool in create_conversation join_conversation send_to_partner check_messages get_history update_my_status check_partner_status; do
		grep -q "\"name\": *\"$tool\"" "$work/tools" || fail "$tool is not listed"
	done
	inspect --protocol-era "$era" --method prompts/list >"$work/prompts"
	for prompt in start join invite; do
		grep -q "\"name\": *\"$prompt\"" "$work/prompts" || fail "the prompt $prompt is not listed"
	done
	inspect --protocol-era "$era" --method prompts/get --prompt-name join --prompt-args code=R8T52-GN3ZK |
		grep -q 'R8T52-GN3ZK' || fail "the prompt join does not contain its code"
	call create_conversation my_role=backend partner_role=frontend >"$work/created"
	conversation=$(field conversation_id <"$work/created")
	a=$(field session_a_token <"$work/created")
	code=$(field join_code <"$work/created")
	b=$(call join_conversation "join_code=$code" | field token)
	call send_to_partner "conversation_id=$conversation" session_id=a "token=$a" "message=hello from the inspector" >/dev/null
	call check_messages "conversation_id=$conversation" session_id=b "token=$b" >"$work/checked"
	grep -q "hello from the inspector" "$work/checked" || fail "the message did not arrive: $(cat "$work/checked")"
	call update_my_status "conversation_id=$conversation" session_id=b "token=$b" status=working >/dev/null
	call check_partner_status "conversation_id=$conversation" session_id=a "token=$a" | grep -q working || fail "the status did not arrive"
	call get_history "conversation_id=$conversation" session_id=a "token=$a" | grep -q "hello from the inspector" || fail "no history"
	inspect --protocol-era "$era" --method resources/templates/list >"$work/templates"
	for scheme in collaboration agents workspace tasks; do
		grep -q "\"uriTemplate\": *\"$scheme://" "$work/templates" || fail "no template of $scheme://"
	done
	as="-e BRIDGE_CONVERSATION_ID=$conversation -e BRIDGE_SESSION_ID=a -e BRIDGE_TOKEN=$a"
	# shellcheck disable=SC2086 # options, one by one
	inspect --protocol-era "$era" $as --method resources/list >"$work/resources"
	grep -q "agents://$conversation/b/status" "$work/resources" || fail "the partner is not listed: $(cat "$work/resources")"
	# shellcheck disable=SC2086 # options, one by one
	inspect --protocol-era "$era" $as --method resources/read --uri "collaboration://$conversation" | grep -q 'backend' || fail "the conversation cannot be read"
	follow "agents://$conversation/b/status"
	# Limits belong to the store: a process cannot set its own.
	"$bridge" limits set --rate-per-minute 0 --rate-per-hour 0 --rate-per-day 0 >/dev/null
	load send_to_partner "message=under load"
	load check_partner_status
	load get_history limit=3
done
"$bridge" audit verify
echo "ok: the MCP Inspector reported no warnings"
