# Summarizes the failed tests in the output of `go test -json`: for each its name and
# the end of its output. Usage: jq -nRr -f scripts/failures.jq <tests.json
def key: [.Package, .Test];
def lines: split("\n") | if length > 120 then ["[...]"] + .[-120:] else . end | join("\n");

[inputs | fromjson? | objects] as $events
# A test without an end was running when its program was stopped.
| ($events | map(select(.Action == "fail") | key)) as $ended_badly
| ($events | map(select(.Action == "pass" or .Action == "skip") | key)) as $ended_well
| (($events | map(select(.Action == "run") | key)) - $ended_well + $ended_badly
  | unique) as $failed
# A package fails with its tests, and a test with its subtests: the innermost
# tell why.
| ($failed | map(. as [$package, $test] | select($failed | any(
    .[0] == $package and .[1] != null and .[1] != $test
    and ($test == null or (.[1] | startswith($test + "/")))) | not))) as $causes
| ($events | map(select(.Action == "build-output").Output) | add // ""),
  ($causes[] as $cause
    | "--- FAIL: \($cause[0]) \($cause[1] // "")\n"
      + ($events | map(select(.Action == "output" and key == $cause).Output) | add // "" | lines)),
  ($causes[] | "FAIL \(.[0]) \(.[1] // "")")
