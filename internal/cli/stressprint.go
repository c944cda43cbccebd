package cli

import (
	"fmt"
	"strconv"
	"time"

	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/lab/rig"
	"example.org/bridge/internal/lab/stress"
	"example.org/bridge/internal/view"
)

// stressProgress shows the progress of a run.
func stressProgress(line *progressLine) func(stress.Progress) {
	return func(p stress.Progress) {
		if p.Edits > 0 {
			line.show("%6s  %s accepted, %s taken, %s",
				p.Elapsed.Truncate(time.Second), view.Count(p.Edits, "edit"), view.Count(p.Claims, "claim"), view.Count(p.Kills, "kill"))
			return
		}
		line.show("%6s  %d sent, %d received, %s ended, %s",
			p.Elapsed.Truncate(time.Second), p.Sent, p.Received, view.Count(p.Ended, "task"), view.Count(p.Kills, "kill"))
	}
}

// maxViolations is the maximum number of violations that are listed.
const maxViolations = 50

func (a *app) printStress(report stress.Report) error {
	if a.json {
		return a.printJSON(report)
	}
	if err := a.printLine(cleantext.Field(report.Machine.String())); err != nil {
		return err
	}
	for _, line := range stressSummary(report) {
		if err := a.printLine(line); err != nil {
			return err
		}
	}
	if len(report.Times) > 0 {
		if err := stressTimes(report).print(a.stdout, a.screen()); err != nil {
			return err
		}
	}
	if len(report.Tests) > 0 {
		if err := stressTests(report).print(a.stdout, a.screen()); err != nil {
			return err
		}
	}
	return a.printVerdict(report)
}

func (a *app) printVerdict(report stress.Report) error {
	for i, v := range report.Violations {
		if i == maxViolations {
			if err := a.printLine(fmt.Sprintf("… and %d more", len(report.Violations)-i)); err != nil {
				return err
			}
			break
		}
		if err := a.printLine("violation: " + v.Rule + ": " + cleantext.Field(v.What)); err != nil {
			return err
		}
	}
	if report.OK() {
		return a.printLine("ok: no violation")
	}
	failed := 0
	for _, test := range report.Tests {
		if !test.OK {
			failed++
		}
	}
	return a.printLine(fmt.Sprintf("FAILED: %s, %s failed", view.Count(int64(len(report.Violations)), "violation"), view.Count(int64(failed), "test")))
}

func stressSummary(r stress.Report) []string {
	c := r.Counts
	var lines []string
	if by := r.Settings.Compress; by > 1 {
		lines = append(lines, fmt.Sprintf("Times were divided by %g.", by))
	}
	if len(r.Tests) > 0 {
		if n := r.Settings.Gateways; n > 0 {
			lines = append(lines, fmt.Sprintf("Each agent was on its own machine; gateways: %d.", n))
		}
		return append(lines, fmt.Sprintf("%s, %s, %.1f s, %s of the audit log",
			counted(c.Agents, "agent"), counted(c.Conversations, "conversation"), r.Seconds, countEntries(int64(c.AuditEntries))))
	}
	if n := r.Settings.Gateways; n > 0 {
		lines = append(lines, fmt.Sprintf("Each agent was on its own machine; gateways: %d, killed: %d.", n, c.GatewayKills))
	}
	lines = append(lines, fmt.Sprintf("%s, %s, %.1f s, %s",
		counted(c.Agents, "agent"), counted(c.Conversations, "conversation"), r.Seconds, counted(c.Kills, "kill")))
	if c.Files > 0 {
		return append(lines,
			fmt.Sprintf("%s of %s accepted, %d of them merged; %s",
				counted(c.Edits, "edit"), counted(c.Files, "file"), c.Merged, counted(c.Conflicts, "conflict")),
			fmt.Sprintf("%s taken; %s refused for a claim, %s of the audit log, store %s",
				counted(c.Claims, "claim"), counted(c.Held, "call"), countEntries(int64(c.AuditEntries)), storeSize(r)))
	}
	lines = append(lines,
		fmt.Sprintf("%s acknowledged, %d delivered; %d delivered again, marked; %s repeated after a kill",
			counted(c.Acknowledged, "message"), c.Delivered, c.Redelivered, counted(c.Repeated, "call")),
		fmt.Sprintf("%s, %s, %s told to retry later, %s of the audit log, store %s",
			counted(c.Reads, "read"), counted(c.Tasks, "task"), counted(c.Paced, "call"), countEntries(int64(c.AuditEntries)), storeSize(r)))
	if f := r.Sessions; f != nil {
		lines = append(lines, fmt.Sprintf("sessions sent %d to %s; the slowest one's p99 is %s ms", f.Fewest, counted(f.Most, "message"), decimal(f.WorstP99)))
	}
	return lines
}

// counted formats a number of things.
func counted(n int, what string) string { return view.Count(int64(n), what) }

// storeSize formats the size of the store at the end, which is not known for a server.
func storeSize(r stress.Report) string {
	if r.StoreBytes == 0 {
		return "in PostgreSQL"
	}
	return view.Bytes(uint64(r.StoreBytes))
}

func stressTimes(r stress.Report) *table {
	t := &table{columns: []column{
		{title: "TIME"},
		{title: "P50", right: true},
		{title: "P90", right: true, drop: 2},
		{title: "P99", right: true},
		{title: "MAX", right: true},
		{title: "UNIT"},
		{title: "SAMPLES", right: true, drop: 3},
		{title: "WHAT IT IS", shrink: true, drop: 4},
	}}
	for _, timing := range r.Times {
		t.add(append(append([]cell{{timing.Name, plain}}, spreadCells(timing.Spread)...),
			cell{"ms", plain}, cell{strconv.Itoa(timing.Samples), plain}, cell{timing.About, faint})...)
	}
	return t
}

func spreadCells(s rig.Spread) []cell {
	return []cell{{decimal(s.P50), bold}, {decimal(s.P90), plain}, {decimal(s.P99), plain}, {decimal(s.Max), plain}}
}

func stressTests(r stress.Report) *table {
	t := &table{columns: []column{{title: "TEST", right: true}, {title: "NAME"}, {title: "RESULT"}, {title: "MEASURED", shrink: true}}}
	for _, test := range r.Tests {
		result := cell{"ok", good}
		if !test.OK {
			result = cell{"FAILED", bad}
		}
		t.add(cell{strconv.Itoa(test.Number), plain}, cell{test.Name, plain}, result, cell{cleantext.Field(test.What), plain})
	}
	return t
}
