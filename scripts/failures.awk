# A replacement for scripts/failures.jq where jq is not installed: prints the tests and
# packages that failed or did not end, with their complete output. Usage:
# awk -f scripts/failures.awk <tests.json
# With -v want=ok it lists the packages that passed, and with -v want=output it prints
# all output.

# field returns the text of a field of a line, with JSON's escapes.
function field(name) {
	if (!match($0, "\"" name "\":\"([^\"\\\\]|\\\\.)*\""))
		return ""
	return substr($0, RSTART + length(name) + 4, RLENGTH - length(name) - 5)
}

# plain decodes the escapes that go test uses.
function plain(text) {
	gsub(/\\\\/, "\001", text)
	gsub(/\\n/, "\n", text)
	gsub(/\\t/, "\t", text)
	gsub(/\\"/, "\"", text)
	gsub(/\\u003c/, "<", text)
	gsub(/\\u003e/, ">", text)
	gsub(/\\u0026/, "\\&", text)
	gsub("\001", "\\\\", text)
	return text
}

{
	action = field("Action")
	package = field("Package")
	test = field("Test")
	key = package " " test
}

action == "output" && want == "output" { printf "%s", plain(field("Output")) }
action == "output" && want == "" { text[key] = text[key] field("Output") }
action == "build-output" && want == "" { printf "%s", plain(field("Output")) }
action == "run" && want == "" { state[key] = "had no end" }
action == "fail" { state[key] = "failed" }
(action == "pass" || action == "skip") { delete state[key]; delete text[key] }
action == "pass" && test == "" && want == "ok" { print "ok " package }

END {
	if (want == "") {
		for (key in state)
			print "--- FAIL: " key " " state[key] "\n" plain(text[key])
	}
}
