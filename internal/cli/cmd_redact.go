package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/redact"
)

type redactOptions struct{ jsonl bool }

func newRedactCmd(a *app) *cobra.Command {
	var o redactOptions
	cmd := &cobra.Command{
		Use:   "redact",
		Short: "Show which secrets redaction finds in a text",
		Long: `Print the text on standard input with its secrets redacted, as bridge would store it.
Your own rules in the configuration file are applied too. No store is needed.

With --json, print {"text": ..., "kinds": [...]} for the whole text. With --jsonl, read
lines of {"text": ...} and write such a line for each, in order.`,
		Example: `  bridge redact < build.log
  printf '{"text": "password: hunter2-correct"}\n' | bridge redact --jsonl`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return runRedact(a, o) },
	}
	boolFlag(cmd.Flags(), &o.jsonl, "jsonl", `read {"text": ...} lines, write {"text": ..., "kinds": [...]} lines`)
	return cmd
}

func runRedact(a *app, o redactOptions) error {
	engine, err := a.redactor()
	if err != nil {
		return err
	}
	if o.jsonl {
		out := bufio.NewWriter(a.stdout)
		return errors.Join(redactLines(engine, bufio.NewReaderSize(a.stdin, 1<<16), out), out.Flush())
	}
	text, err := io.ReadAll(a.stdin)
	if err != nil {
		return fmt.Errorf("read standard input: %w", err)
	}
	if a.json {
		return a.printJSON(redactText(engine, string(text)))
	}
	clean, _ := engine.Redact(string(text))
	_, err = io.WriteString(a.stdout, clean)
	return err
}

type jsonRedacted struct {
	Text  string   `json:"text"`
	Kinds []string `json:"kinds"`
}

func redactText(engine *redact.Engine, text string) jsonRedacted {
	clean, kinds := engine.Redact(text)
	return jsonRedacted{Text: clean, Kinds: append([]string{}, kinds...)}
}

// redactLines redacts each line of {"text": ...}.
func redactLines(engine *redact.Engine, in *bufio.Reader, out *bufio.Writer) error {
	return answerLines(in, out, func(line []byte) (any, error) {
		var request struct {
			Text *string `json:"text"`
		}
		if json.Unmarshal(line, &request) != nil || request.Text == nil {
			return nil, errors.New(`is not {"text": "..."}`)
		}
		return redactText(engine, *request.Text), nil
	})
}

// answerLines writes the answer to each line before it waits for the next line, so that
// the command can be used as a coprocess. An error of answer completes the sentence
// "line N ...".
func answerLines(in *bufio.Reader, out *bufio.Writer, answer func(line []byte) (any, error)) error {
	encoder := newEncoder(out)
	for number := 1; ; number++ {
		line, err := in.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read standard input: %w", err)
		}
		if len(line) == 0 {
			return nil
		}
		answered, err := answer(line)
		if err != nil {
			return usagef("line %d %v: nothing after it was read", number, err)
		}
		if err := encoder.Encode(answered); err != nil {
			return err
		}
		if in.Buffered() == 0 {
			if err := out.Flush(); err != nil {
				return err
			}
		}
	}
}
