package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

func newHelpCmd() *cobra.Command {
	return &cobra.Command{
		Use:         "help [COMMAND]",
		Short:       "Explain a command",
		Long:        `Print the help of bridge or of one of its commands.`,
		Example:     "  bridge help\n  bridge help audit verify",
		Annotations: map[string]string{annotationLenient: "needs no configuration"},
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if err != nil || found == nil || len(rest) > 0 {
				return usagef("there is no command %s: `bridge help` lists them", echo(strings.Join(args, " ")))
			}
			found.InitDefaultHelpFlag()
			return found.Help()
		},
	}
}
