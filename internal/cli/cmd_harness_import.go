package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/harness/convert"
	"example.org/bridge/internal/harness/suite"
)

func newHarnessImportCmd(a *app) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Turn a test file of another tool into a suite",
		Long: `Read a test specification of moth (server, and tools with tests) or a configuration of
the MCP test harness (test_suites with tool_name and input_params, or a suite with
unknown keys) and write it as a suite. Anything without a counterpart is left out and
listed on standard error, with its place; read that list before you rely on the suite.
Existing files are not replaced.`,
		Example: `  bridge harness import moth.yaml --output suite.yaml`,
		Args:    a.oneSuite,
		RunE:    func(_ *cobra.Command, args []string) error { return a.importSuite(args[0], output) },
	}
	textFlag(cmd.Flags(), &output, kindPath, "output", "the output file (default: standard output)")
	return cmd
}

func (a *app) importSuite(path, output string) error {
	if _, err := os.Lstat(output); output != "" && err == nil {
		return a.badSuite(fmt.Errorf("%s exists: remove it, or name another file with --output", output))
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return a.badSuite(fmt.Errorf("cannot read the file: %w", err))
	}
	result, err := convert.File(data)
	if err != nil {
		return a.badSuite(fmt.Errorf("%s: %w", path, err))
	}
	text, err := suite.Encode(result.Suite, nil)
	if err != nil {
		return err
	}
	if output == "" {
		_, err = a.stdout.Write(text)
	} else {
		err = writeNew(output, text)
	}
	for _, left := range result.Left {
		a.note("left out: " + cleantext.CleanLine(left))
	}
	if _, wrong := suite.Parse(path, text, "", anyValue); err == nil && wrong != nil {
		a.note("edit the suite before you run it:")
		err = a.badSuite(wrong)
	}
	return err
}

// anyValue returns a value for a variable that whoever runs the suite will set.
func anyValue(name string) (string, bool) {
	if strings.Contains(strings.ToUpper(name), "URL") {
		return "https://localhost/", true
	}
	return "1", true
}
