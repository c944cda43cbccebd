package yolo_test

import (
	"strings"
	"testing"

	"example.org/bridge/internal/yolo"
)

// TestLimits holds the limits of a command, and that deep nesting is refused
// and not suffered.
func TestLimits(t *testing.T) {
	const kib = 1 << 10
	tests := map[string]struct {
		mode    yolo.Mode
		command string
		allow   bool
	}{
		"safe, 8 KiB":             {yolo.ModeSafe, "echo " + strings.Repeat("a", 8*kib-5), true},
		"safe, over 8 KiB":        {yolo.ModeSafe, "echo " + strings.Repeat("a", 8*kib), false},
		"yolo, 64 KiB":            {yolo.ModeYolo, "echo " + strings.Repeat("a", 64*kib-5), true},
		"yolo, over 64 KiB":       {yolo.ModeYolo, "echo " + strings.Repeat("a", 64*kib), false},
		"32 commands":             {yolo.ModeSafe, strings.Repeat("ls;", 32), true},
		"33 commands":             {yolo.ModeSafe, strings.Repeat("ls;", 33), false},
		"32 in a pipe":            {yolo.ModeSafe, "ls" + strings.Repeat("|cat", 31), true},
		"33 in a pipe":            {yolo.ModeSafe, "ls" + strings.Repeat("|cat", 32), false},
		"yolo, 32 commands":       {yolo.ModeYolo, strings.Repeat("ls;", 32), true},
		"yolo, 33 commands":       {yolo.ModeYolo, strings.Repeat("ls;", 33), false},
		"arithmetic":              {yolo.ModeYolo, "((((1))))", true},
		"nesting of 4, spaced":    {yolo.ModeYolo, "( ( ( (ls) ) ) )", true},
		"nesting of 5":            {yolo.ModeYolo, "( ( ( ( (ls) ) ) ) )", false},
		"nested shells":           {yolo.ModeYolo, `bash -c "bash -c 'ls'"`, true},
		"empty":                   {yolo.ModeYolo, " \t\n", false},
		"many parentheses":        {yolo.ModeYolo, strings.Repeat("( ", 30*kib), false},
		"many substitutions":      {yolo.ModeYolo, "echo " + strings.Repeat("$(", 30*kib), false},
		"many closed ones":        {yolo.ModeYolo, "echo " + strings.Repeat("$(", 10*kib) + strings.Repeat(")", 10*kib), false},
		"many braces":             {yolo.ModeYolo, "echo " + strings.Repeat("{a,b}", 6*kib), false},
		"nested braces":           {yolo.ModeYolo, "echo " + strings.Repeat("{a,", 9*kib) + "b" + strings.Repeat("}", 9*kib), false},
		"many stars":              {yolo.ModeYolo, "cat /home/user/" + strings.Repeat("*a", 20*kib), true},
		"many stars in safe mode": {yolo.ModeSafe, "cat " + strings.Repeat("*a", 4*kib-8), true},
		"many quotes":             {yolo.ModeYolo, `node -e "` + strings.Repeat("'a b'", 10*kib) + `"`, false},
		"some quotes":             {yolo.ModeYolo, `node -e "` + strings.Repeat("'a b'", 2*kib) + `"`, true},
		"not UTF-8":               {yolo.ModeYolo, "echo \xff", false},
		"unknown mode":            {"root", "ls", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := yolo.DecideBare(tt.mode, tt.command, corpusContext())
			if got.Allow != tt.allow {
				t.Errorf("allow = %v (%s), want %v", got.Allow, got.Reason, tt.allow)
			}
		})
	}
}
