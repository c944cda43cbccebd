package guard_test

import (
	"testing"

	"example.org/bridge/internal/guard"
	"example.org/bridge/internal/guard/policy"
)

func BenchmarkDecide(b *testing.B) {
	tests := map[string]struct {
		mode    guard.Mode
		command string
	}{
		"safe":       {guard.ModeSafe, "grep -rn --include='*.go' needle src | head -20"},
		"restricted": {guard.ModeRestricted, "git add src && git commit -m 'fix: a thing' && git push"},
		"yolo":       {guard.ModeYolo, `for d in dist build; do rm -rf "$d"; done && bash -c 'npm ci && npm test' | tee log`},
		"inline":     {guard.ModeYolo, `python3 -c "import json,sys; print(json.load(sys.stdin)['x'])"`},
	}
	for name, tt := range tests {
		b.Run(name, func(b *testing.B) {
			ctx := corpusContext()
			for b.Loop() {
				if !policy.Decide(tt.mode, tt.command, ctx).Allow {
					b.Fatal("refused")
				}
			}
		})
	}
	b.Run("corpus", func(b *testing.B) {
		rows, ctx := readCorpus(b, "testdata/guard_corpus.jsonl"), corpusContext()
		for i := 0; b.Loop(); i++ {
			row := rows[i%len(rows)]
			policy.Decide(row.Mode, row.Command, ctx)
		}
	})
}
