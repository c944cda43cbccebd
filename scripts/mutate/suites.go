package main

import "time"

// suite is a package whose source is changed, its share of the changes, and the
// packages whose tests should notice changes without a switch, quickest first.
// A colon and a pattern restrict a package to the matching tests.
type suite struct {
	dir   string
	share int
	tests []string
}

var suites = []suite{
	{"internal/auth", 12, []string{"auth", storeTests}},
	{"internal/audit", 10, []string{"audit", storeTests}},
	{"internal/ratelimit", 10, []string{"ratelimit", storeTests}},
	{"internal/privatefile", 8, []string{"privatefile", "binding", "auth"}},
	{"internal/binding", 12, []string{"binding", "mcpserver"}},
	{"internal/bridge", 40, []string{"bridge", storeTests, "mcpserver"}},
	{"internal/commands", 20, []string{"commands", storeTests, "mcpserver"}},
	{"internal/sqlstore", 16, []string{"sqlstore", "sqlite"}},
	{"internal/sqlite/storefile", 8, []string{"sqlite/storefile", "sqlite"}},
	{"internal/sqlite", 36, []string{"sqlite", "mcpserver"}},
	{"internal/postgres", 20, []string{"postgres"}},
	{"internal/mcpserver", 20, []string{"mcpserver"}},
}

// storeTests are the tests that every store has to pass, and those for
// detecting tampering.
const storeTests = "sqlite:^TestStore$|^TestVerifyAudit|^TestBadCredentials|^TestCleanup|^TestRefus"

// slow are tests that take long, and notice only what faster tests notice too.
const slow = "LeftOver|FilesLost|ManyProcesses|EightProcesses|FullDisk|AtEachSystemCall|FaultsAtSystemCalls|DamagedFiles|KilledProcesses|AcceptedInSafeModeIsHarmless|HostileRepository|PagesFitClients|WhoHolds|WaitForMailEnds|SearchIsBounded|KilledServer|LockedForLong|CutConnection|ManyWriters|Benchmark"

// limit stops a test that a change has made endless. On a busy machine the tests
// of one package take minutes.
const limit = 6 * time.Minute
