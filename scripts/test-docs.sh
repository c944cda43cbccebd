#!/usr/bin/env bash
# Runs the commands in the documents like a newcomer would, in order: every line
# of every block marked sh, in a copy of this repository, with an empty HOME.
# scripts/test-docs.txt lists commands that are not run, or are run in another
# form.
set -euo pipefail
cd "$(dirname "$0")/.."
here=$PWD
documents="README.md docs/clients.md PRODUCTION.md scripts/production/README.md"
command -v jq >/dev/null || { echo "SKIPPED: jq is not installed (MISSING: jq)"; exit 0; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/home" "$work/copy"
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
	if [ -e "$file" ]; then printf '%s\0' "$file"; fi
done | tar -c --null -T - | tar -x -C "$work/copy"

# The Go caches are not in HOME here, because a build without them takes
# minutes.
settings=("HOME=$work/home" "PATH=$work/home/.local/bin:$PATH" "GOCACHE=$(go env GOCACHE)"
	"GOMODCACHE=$(go env GOMODCACHE)" "GOFLAGS=$(go env GOFLAGS)" "GOPROXY=$(go env GOPROXY)" "GOSUMDB=$(go env GOSUMDB)" TERM=dumb LANG=C.UTF-8)

# plan DOCUMENT prints its commands as a script. A line of test-docs.txt is
#	how a line of the document begins ;; what is run instead, or nothing ;; why
plan() {
	awk -F' *;; *' -v conversation="$1" '
		NR == FNR { if ($0 !~ /^#/ && NF >= 3) { n++; word[n] = $1; instead[n] = $2 }; next }
		/^ *```sh$/ { block = 1; next }
		/^ *```/ { block = 0 }
		!block { next }
		{
			line = $0; sub(/^ +/, "", line)
			for (i = 1; i <= n; i++) if (index(line, word[i]) == 1) {
				used = instead[i]
				printf "say %s\n", quote("(" (used == "" ? "not run" : "run as: " used) ") " line)
				line = used
				break
			}
			gsub(/tokens 3f2a/, "tokens " conversation, line)
			if (line !~ /^$/ && !more) printf "say %s\n", quote("$ " line)
			more = line ~ /\\$/
			print line
		}
		function quote(text) { gsub(/\047/, "\047\\\047\047", text); return "\047" text "\047" }
	' "$here/scripts/test-docs.txt" "$2"
}

# conversation creates a conversation like an agent would, and prints its ID.
conversation() {
	initialize='{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"docs","version":"1"}}}'
	create='{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"create_conversation","arguments":{"my_role":"orchestrator","partner_role":"worker"}}}'
	printf '%s\n' "$initialize" '{"jsonrpc":"2.0","method":"notifications/initialized"}' "$create" |
		env -i "${settings[@]}" bridge serve 2>/dev/null |
		jq -r 'select(.id == 2).result.structuredContent.conversation_id'
}

id=none
for document in $documents; do
	printf '\n--- %s\n' "$document"
	{
		# shellcheck disable=SC2016 # for the other shell
		printf '%s\n' 'set -euo pipefail' 'say() { printf "%s\n" "$*" >&3; }' 'trap '"'"'echo "FAILED: the line above" >&3'"'"' ERR'
		plan "$id" "$document"
	} >"$work/script"
	if ! (cd "$work/copy" && env -i "${settings[@]}" timeout 10m bash "$work/script" 3>&1 >"$work/output" 2>&1 </dev/null); then
		tail -n 30 "$work/output"
		exit 1
	fi
	if [ "$document" = README.md ]; then
		PATH=$work/home/.local/bin:$PATH
		id=$(conversation)
		[ -n "$id" ] || { echo "no conversation was created" >&2; exit 1; }
	fi
done
printf '\nok: all commands ran\n'
