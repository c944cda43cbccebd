package guard_test

import (
	"strings"
	"testing"

	"example.org/bridge/internal/guard"
)

// TestLimits checks the limits of a command, and that deeply nested commands are
// refused quickly.
func TestLimits(t *testing.T) {
	const kib = 1 << 10
	tests := map[string]struct {
		mode    guard.Mode
		command string
		allow   bool
	}{
		"safe, 8 KiB":             {guard.ModeSafe, "echo " + strings.Repeat("a", 8*kib-5), true},
		"safe, over 8 KiB":        {guard.ModeSafe, "echo " + strings.Repeat("a", 8*kib), false},
		"yolo, 64 KiB":            {guard.ModeYolo, "echo " + strings.Repeat("a", 64*kib-5), true},
		"yolo, over 64 KiB":       {guard.ModeYolo, "echo " + strings.Repeat("a", 64*kib), false},
		"32 commands":             {guard.ModeSafe, strings.Repeat("ls;", 32), true},
		"33 commands":             {guard.ModeSafe, strings.Repeat("ls;", 33), false},
		"32 in a pipe":            {guard.ModeSafe, "ls" + strings.Repeat("|cat", 31), true},
		"33 in a pipe":            {guard.ModeSafe, "ls" + strings.Repeat("|cat", 32), false},
		"yolo, 32 commands":       {guard.ModeYolo, strings.Repeat("ls;", 32), true},
		"yolo, 33 commands":       {guard.ModeYolo, strings.Repeat("ls;", 33), false},
		"arithmetic":              {guard.ModeYolo, "((((1))))", true},
		"nesting of 4, spaced":    {guard.ModeYolo, "( ( ( (ls) ) ) )", true},
		"nesting of 5":            {guard.ModeYolo, "( ( ( ( (ls) ) ) ) )", false},
		"nested shells":           {guard.ModeYolo, `bash -c "bash -c 'ls'"`, true},
		"empty":                   {guard.ModeYolo, " \t\n", false},
		"many parentheses":        {guard.ModeYolo, strings.Repeat("( ", 30*kib), false},
		"many substitutions":      {guard.ModeYolo, "echo " + strings.Repeat("$(", 30*kib), false},
		"many closed ones":        {guard.ModeYolo, "echo " + strings.Repeat("$(", 10*kib) + strings.Repeat(")", 10*kib), false},
		"many braces":             {guard.ModeYolo, "echo " + strings.Repeat("{a,b}", 6*kib), false},
		"nested braces":           {guard.ModeYolo, "echo " + strings.Repeat("{a,", 9*kib) + "b" + strings.Repeat("}", 9*kib), false},
		"many stars":              {guard.ModeYolo, "cat /home/user/" + strings.Repeat("*a", 20*kib), true},
		"many stars in safe mode": {guard.ModeSafe, "cat " + strings.Repeat("*a", 4*kib-8), true},
		"many quotes":             {guard.ModeYolo, `node -e "` + strings.Repeat("'a b'", 10*kib) + `"`, false},
		"some quotes":             {guard.ModeYolo, `node -e "` + strings.Repeat("'a b'", 2*kib) + `"`, true},
		"not UTF-8":               {guard.ModeYolo, "echo \xff", false},
		"unknown mode":            {"root", "ls", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := decideBare(t, tt.mode, tt.command)
			if got.Allow != tt.allow {
				t.Errorf("allow = %v (%s), want %v", got.Allow, got.Reason, tt.allow)
			}
		})
	}
}
