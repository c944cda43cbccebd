package cli

import (
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
			return usagef("`bridge completion` takes one of bash, zsh, fish and powershell")
		},
		RunE: func(cmd *cobra.Command, args []string) error { return runCompletion(a, cmd.Root(), args[0]) },
	}
}

func runCompletion(a *app, root *cobra.Command, shell string) error {
	switch shell {
	case "bash":
		return root.GenBashCompletionV2(a.stdout, true)
	case "zsh":
		return root.GenZshCompletion(a.stdout)
	case "fish":
		return root.GenFishCompletion(a.stdout, true)
	}
	return root.GenPowerShellCompletionWithDesc(a.stdout)
}
