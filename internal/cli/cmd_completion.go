package cli

import (
	"bytes"
	"io"

	"github.com/spf13/cobra"
)

func newCompletionCmd(a *app) *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print a completion script for your shell",
		Long: `Print a script that completes bridge's commands, flags and conversation ids in bash,
zsh, fish or powershell. Load it in the shell, or put it where the shell looks.`,
		Example: `  source <(bridge completion bash)
  bridge completion zsh > "${fpath[1]}/_bridge"
  bridge completion fish | source`,
		ValidArgs:   shells,
		Annotations: map[string]string{annotationLenient: "needs no configuration"},
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && cobra.OnlyValidArgs(cmd, args) == nil {
				return nil
			}
			return usagef("`bridge completion` takes one argument: bash, zsh, fish or powershell")
		},
		RunE: func(cmd *cobra.Command, args []string) error { return runCompletion(a, cmd.Root(), args[0]) },
	}
}

func runCompletion(a *app, root *cobra.Command, shell string) error {
	if !a.json {
		return writeCompletion(a.stdout, root, shell)
	}
	var script bytes.Buffer
	if err := writeCompletion(&script, root, shell); err != nil {
		return err
	}
	return a.printJSON(struct {
		Shell  string `json:"shell"`
		Script string `json:"script"`
	}{shell, script.String()})
}

func writeCompletion(out io.Writer, root *cobra.Command, shell string) error {
	switch shell {
	case "bash":
		return root.GenBashCompletionV2(out, true)
	case "zsh":
		return root.GenZshCompletion(out)
	case "fish":
		return root.GenFishCompletion(out, true)
	}
	return root.GenPowerShellCompletionWithDesc(out)
}
