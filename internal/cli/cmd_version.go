package cli

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/sqlite"
)

// buildVersion is set by the linker: -ldflags "-X example.org/bridge/internal/cli.buildVersion=v1.2.3".
var buildVersion string

func newVersionCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:         "version",
		Short:       "Print the versions of bridge and its parts",
		Long:        `Print the versions of bridge, SQLite, the store's schema, the MCP SDK and Go.`,
		Example:     "  bridge version\n  bridge version --json",
		Args:        noArgs,
		Annotations: map[string]string{annotationLenient: "needs no configuration"},
		RunE:        func(*cobra.Command, []string) error { return runVersion(a) },
	}
}

// versions are the versions of bridge and its parts.
type versions struct {
	Bridge string `json:"bridge"`
	Commit string `json:"commit"`
	SQLite string `json:"sqlite"`
	Schema int    `json:"schema"`
	MCPSDK string `json:"mcp_sdk"`
	Go     string `json:"go"`
	System string `json:"system"`
}

func runVersion(a *app) error {
	if a.json {
		return a.printJSON(readVersions())
	}
	return printVersions(a.stdout)
}

func printVersions(w io.Writer) error {
	v := readVersions()
	name := v.Bridge
	if v.Commit != "" {
		name += " (" + v.Commit + ")"
	}
	_, err := fmt.Fprintf(w, "bridge  %s\nsqlite  %s\nschema  %d\nmcp sdk %s\ngo      %s\nsystem  %s\n",
		name, v.SQLite, v.Schema, v.MCPSDK, v.Go, v.System)
	return err
}

const (
	unknownVersion = "unknown"
	sdkModule      = "github.com/modelcontextprotocol/go-sdk"
)

func readVersions() versions {
	v := versions{
		Bridge: bridgeVersion(),
		SQLite: sqlite.LibraryVersion,
		Schema: sqlite.SchemaVersion(),
		MCPSDK: unknownVersion,
		Go:     runtime.Version(),
		System: runtime.GOOS + "/" + runtime.GOARCH,
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	for _, module := range info.Deps {
		if module.Path == sdkModule {
			v.MCPSDK = module.Version
		}
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			v.Commit = setting.Value
		}
	}
	return v
}

func bridgeVersion() string {
	if buildVersion != "" {
		return buildVersion
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return unknownVersion
}
