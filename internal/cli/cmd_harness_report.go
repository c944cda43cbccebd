package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/harness/report"
	"example.org/bridge/internal/harness/run"
	"example.org/bridge/internal/harness/suite"
)

type reportOptions struct{ format, output string }

const terminalFormat = "terminal"

func newHarnessReportCmd(a *app) *cobra.Command {
	o := reportOptions{format: terminalFormat}
	cmd := &cobra.Command{
		Use:   "report FILE.json",
		Short: "Show a JSON report again, or convert it",
		Long: `Read a report that bridge harness run wrote as JSON, and print it as text, or as JUnit,
HTML or JSON. Secrets are redacted again, because there may be new rules. The exit code
is 0 whatever the report says.`,
		Example: `  bridge harness report reports/harness-20260102T030405.678Z.json
  bridge harness report report.json --format html --output report.html`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return a.badSuite(fmt.Errorf("`%s` takes one report, but was given %d", cmd.CommandPath(), len(args)))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return a.showReport(args[0], o) },
	}
	choiceFlag(cmd.Flags(), &o.format, append([]string{terminalFormat}, suite.Formats()...), "format", "the form")
	textFlag(cmd.Flags(), &o.output, kindPath, "output", "the output file, which must not exist (default: standard output)")
	return cmd
}

func (a *app) showReport(path string, o reportOptions) error {
	r, err := readReport(path)
	if err != nil {
		return a.badSuite(err)
	}
	engine, err := a.redactor()
	if err != nil {
		return err
	}
	report.Clean(r, engine)
	if a.json {
		o.format = "json"
	}
	if o.format == terminalFormat {
		if o.output != "" {
			return a.badSuite(errors.New("--output needs --format junit, html or json"))
		}
		for _, c := range r.Cases {
			a.printCase(a.stdout, c)
		}
		return a.printRun(r, nil)
	}
	if o.output == "" {
		return report.Form(a.stdout, o.format, r)
	}
	f, err := os.OpenFile(o.output, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return a.badSuite(fmt.Errorf("cannot write the report: %w", err))
	}
	return errors.Join(report.Form(f, o.format, r), f.Close())
}

const maxReport = 64 << 20 // bytes

func readReport(path string) (*run.Report, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("the report cannot be read: %w", err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxReport+1))
	if err != nil || len(data) > maxReport {
		return nil, fmt.Errorf("%s cannot be read, or is larger than %d bytes", path, maxReport)
	}
	r := new(run.Report)
	if json.Unmarshal(data, r) != nil || r.Started.IsZero() {
		return nil, fmt.Errorf("%s is not a JSON report of `bridge harness run`", path)
	}
	return r, nil
}
