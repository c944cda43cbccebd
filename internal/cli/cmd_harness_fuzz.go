package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/harness/finding"
	"example.org/bridge/internal/harness/fuzz"
	"example.org/bridge/internal/harness/suite"
	"example.org/bridge/internal/view"
)

type fuzzOptions struct {
	callOptions
	calls, seed int
	corpus      string
}

func newHarnessFuzzCmd(a *app) *cobra.Command {
	o := fuzzOptions{calls: 60}
	cmd := &cobra.Command{
		Use:   "fuzz {SUITE | -- COMMAND...}",
		Short: "Call a server with generated arguments",
		Long: `Call each tool with arguments that match its inputSchema, that lie at its limits, and
that violate it; call each prompt with and without its arguments; and read resources at
addresses made from each template. Report calls that crash the server, get no answer, or
get an answer that violates the contract. A failing call is reduced to the smallest one
that still fails. --corpus saves such calls in a folder and makes them first the next
time. The seed is printed; --seed repeats the same calls.

Only tools whose readOnlyHint is true, and those named by --tools, are called. Tools and
prompts without arguments are called once.`,
		Example: `  bridge harness fuzz suite.yaml --corpus fuzz-cases
  bridge harness fuzz --calls 500 --seed 7 -- python server.py`,
		Args: a.serverArgs(0),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.server(cmd, args, o.environment)
			if err != nil {
				return err
			}
			return a.fuzz(cmd.Context(), s, o)
		},
	}
	o.register(cmd)
	fs := cmd.Flags()
	numberFlag(fs, &o.calls, "calls", "the number of calls of each tool, prompt and template")
	numberFlag(fs, &o.seed, "seed", "repeat the calls of this seed; 0 = a new seed each time")
	textFlag(fs, &o.corpus, kindPath, "corpus", "the folder for failing calls")
	return cmd
}

func (a *app) fuzz(ctx context.Context, s *suite.Suite, o fuzzOptions) error {
	ctx, stop := daemon(ctx)
	defer stop()
	target, err := a.callTarget(ctx, s, o.callOptions)
	if err != nil {
		return err
	}
	options := fuzz.Options{
		Parts: target.parts, Calls: o.calls, Seed: uint64(o.seed),
		Open: target.open, Limit: target.limit,
	}
	if o.seed == 0 {
		options.Seed = uint64(rand.Uint32()) //nolint:gosec // no secret
	}
	if o.corpus != "" {
		if options.Saved, err = fuzz.Load(o.corpus); err != nil {
			return a.badSuite(err)
		}
	}
	failures, calls, err := fuzz.Run(ctx, options)
	if err != nil {
		return a.maybeNotStarted(err)
	}
	var found []finding.Finding
	for _, f := range failures {
		if o.corpus != "" {
			if _, err := fuzz.Save(o.corpus, f.Case); err != nil {
				return err
			}
		}
		found = append(found, tellFailure(f))
	}
	if !a.json {
		if _, err := fmt.Fprintf(a.stdout, "%s with the seed %d.\n", view.Count(int64(calls), "call"), options.Seed); err != nil {
			return err
		}
	}
	return a.tellFound(target, found)
}

// tellFailure returns a finding that begins with the failing call.
func tellFailure(f fuzz.Failure) finding.Finding {
	const most = 300
	data, _ := json.Marshal(f.Arguments)
	call := string(data)
	if len(call) > most {
		call = call[:most] + "…"
	}
	return finding.Finding{Kind: f.Kind, Where: f.What + " " + f.Name + " with " + call, Text: f.Finding.Text}
}
