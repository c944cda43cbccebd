#!/bin/sh
# Opens HTML reports of `bridge harness`, one with findings and one without, in Chromium in
# both colour schemes and on a narrow screen, and checks them with axe-core's rules:
# scripts/test-report.sh bin/bridge [FOLDER-FOR-PICTURES]
# Without Chromium or npm, the test is skipped with a message.
set -eu
bridge=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
here=$(cd "$(dirname "$0")" && pwd)
pictures=${2:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

CHROMIUM=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
export CHROMIUM
if [ -z "$CHROMIUM" ]; then
	echo "SKIPPED: reports are tested with Chromium, which is not installed"
	exit 0
fi
if ! (cd "$work" && npm install --silent --no-audit --no-fund --ignore-scripts playwright-core@1.65.1 axe-core@4.14.1 >npm.log 2>&1); then
	tail -n 3 "$work/npm.log" 2>/dev/null || true
	echo "SKIPPED: reports are tested with playwright-core and axe-core, which need npm and its registry (see above)"
	exit 0
fi
cat >"$work/suite.yaml" <<END
server:
  command: "$bridge"
  args: [serve, --db, "$work/store/bridge.db"]
test_suites:
  - name: dialogue
    tags: [smoke]
    test_cases:
      - {name: list, tool: list_conversations, expected: {patterns: ["\${WANTED:-Conversations}"]}}
      - {name: after it, tool: list_conversations, depends_on: [list]}
      - {name: refused, tool: send_to_partner, expect_error: true}
END
"$bridge" harness run "$work/suite.yaml" --report-dir "$work/sound" >"$work/run.log" || { cat "$work/run.log"; exit 1; }
WANTED="<b>nothing</b>" "$bridge" harness run "$work/suite.yaml" --report-dir "$work/findings" >/dev/null && exit 1
mv "$work"/sound/*.html "$work/sound.html"
mv "$work"/findings/*.html "$work/findings.html"
cd "$work"
node "$here/report/page.mjs" "${pictures:-$work}" "$work/sound.html" "$work/findings.html"
