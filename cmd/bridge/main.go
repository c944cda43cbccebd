// Command bridge lets AI coding agents exchange messages through one private
// store, and lets their operator see and steer it. Run bridge help.
package main

import (
	"os"

	"example.org/bridge/internal/cli"
)

func main() { os.Exit(cli.Main()) }
