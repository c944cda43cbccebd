package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/adrg/xdg"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"example.org/bridge/internal/advice"
	"example.org/bridge/internal/atrest"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/doctor"
	"example.org/bridge/internal/gateway/remote"
	"example.org/bridge/internal/sqlite"
	"example.org/bridge/internal/view"
)

func newDoctorCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Find out what is wrong with the store, settings and clients",
		Long: `Check the store, its key, their permissions and the configuration, and show the origin
of each setting. Doctor changes and creates nothing.

For each client that "bridge install" knows, check whether it is connected, for the user
or for the project in the current folder, whether its entry starts this program, whether
its hooks work, and whether it uses your store. For this, doctor starts this program as
the client would, on a temporary store; it never starts another program. A client that
is not installed or not connected is not a problem.

The exit code is 0 when all is well, 7 with warnings and 6 with problems.`,
		Example: `  bridge doctor
  bridge doctor --json | jq '.checks[] | select(.status != "ok")'`,
		Args:        noArgs,
		Annotations: map[string]string{annotationLenient: "reports a wrong configuration"},
		RunE:        func(cmd *cobra.Command, _ []string) error { return runDoctor(a, cmd.Root()) },
	}
}

// jsonSetting is the value of a flag and its origin.
type jsonSetting struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Origin origin `json:"origin"`
}

func runDoctor(a *app, root *cobra.Command) error {
	r := new(doctor.Report)
	settings := a.settings(root, r)
	a.checkConfiguration(r, root)
	a.checkStore(r)
	a.checkClients(r, root)
	if a.json {
		err := a.printJSON(struct {
			Status   doctor.Status  `json:"status"`
			Checks   []doctor.Check `json:"checks"`
			Settings []jsonSetting  `json:"settings"`
			Versions versions       `json:"versions"`
		}{r.Worst(), r.Checks, settings, readVersions()})
		if err != nil {
			return err
		}
	} else if err := a.printDoctor(r, settings); err != nil {
		return err
	}
	switch r.Worst() {
	case doctor.Problem:
		return &exitError{advice.ExitDoctorProblems}
	case doctor.Warning:
		return &exitError{advice.ExitDoctorWarnings}
	}
	return nil
}

// settings lists the global flags, and those flags of single commands that are set
// outside the command line.
func (a *app) settings(root *cobra.Command, r *doctor.Report) []jsonSetting {
	var all []jsonSetting
	for _, cmd := range allCommands(root) {
		if err := a.resolve(cmd); err != nil && a.configErr == nil {
			r.Add("environment", doctor.Problem, "%s", view.Line(err))
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			o := a.originOf(f)
			if envName(f) == "" || cmd != root && o.Source == sourceDefault {
				return
			}
			all = append(all, jsonSetting{settingName(f), cleantext.CleanLine(a.effective(f)), o})
		})
	}
	return all
}

// settingName returns the name of a setting, which is its key in the configuration
// file.
func settingName(f *pflag.Flag) string { return cmp.Or(configKey(f), snake(f.Name)) }

// effective returns the value of a flag, with the defaults of the two paths resolved.
func (a *app) effective(f *pflag.Flag) string {
	if f.Name == "db" && a.onServer() {
		name, _ := a.storeName() // a connection string may contain a password
		return name
	}
	if f.Value.String() != "" {
		return f.Value.String()
	}
	if join, ok, _ := a.connected(); ok && f.Name == "db" {
		return "behind the gateway " + join.Address
	}
	switch f.Name {
	case "db":
		path, _ := a.storePath()
		return path
	case "config":
		return a.file.path
	}
	return ""
}

func (a *app) printDoctor(r *doctor.Report, settings []jsonSetting) error {
	out := bufio.NewWriter(a.stdout)
	if err := writeDoctor(out, a.screen(), r.Checks, settings); err != nil {
		return err
	}
	_ = out.WriteByte('\n')
	return errors.Join(printVersions(out), out.Flush())
}

func writeDoctor(out *bufio.Writer, screen screen, checks []doctor.Check, settings []jsonSetting) error {
	for _, c := range checks {
		label := fmt.Sprintf("%-13s  %-7s  ", c.Name, c.Status)
		text := wrap(c.Detail, strings.Repeat(" ", len(label)), screen.width)
		_, _ = out.WriteString(screen.paint(label, styleOf(c.Status)) + text[len(label):])
	}
	_ = out.WriteByte('\n')
	values := &table{columns: []column{{title: "SETTING"}, {title: "VALUE", shrink: true, wrap: true}, {title: "FROM", shrink: true, wrap: true}}}
	for _, s := range settings {
		values.add(cell{text: s.Name}, cell{text: orDash(s.Value)}, cell{text: cleantext.CleanLine(s.Origin.String())})
	}
	return values.print(out, screen)
}

func styleOf(s doctor.Status) style {
	switch s {
	case doctor.Problem:
		return bad
	case doctor.Warning:
		return warn
	case doctor.OK:
		return good
	}
	return plain
}

func (a *app) checkStore(r *doctor.Report) {
	path, err := a.storePath()
	if err != nil {
		r.Add("store", doctor.Problem, "%s", view.Line(err))
		return
	}
	if a.onServer() {
		a.checkServer(r, path)
		return
	}
	if join, ok, _ := a.connected(); ok {
		a.checkGateway(r, join)
		return
	}
	exists, err := storeExists(path)
	r.Store(path, exists, err, doctor.File{Inspect: sqlite.Inspect, Unopened: sqlite.Unopened})
}

// checkGateway checks the gateway to which this machine is connected.
func (a *app) checkGateway(r *doctor.Report, join remote.Join) {
	conn, err := a.dial(join)
	if err == nil {
		defer conn.Close()
		ctx, cancel := context.WithTimeout(context.Background(), gatewayAnswersWithin)
		defer cancel()
		err = conn.Prove(ctx)
	}
	if err != nil {
		r.Add("gateway", doctor.Problem, "%s: %s", join.Address, view.Line(err))
		return
	}
	r.Add("gateway", doctor.OK, "%s answers and accepts the key of this machine", join.Address)
}

// gatewayAnswersWithin is how long doctor waits for a gateway.
const gatewayAnswersWithin = 10 * time.Second

// checkServer opens a store on a server, as every command does.
func (a *app) checkServer(r *doctor.Report, place string) {
	var limits bridge.LimitReport
	var moved []string
	name, err := a.storeName()
	if err == nil {
		err = a.withStore(context.Background(), func(s *bridge.Service) error {
			if limits, err = s.Limits(context.Background(), ""); err != nil {
				return err
			}
			all, err := s.Conversations(context.Background())
			for _, c := range all {
				if c.EndMoved {
					moved = append(moved, c.ID)
				}
			}
			return err
		})
	}
	if err != nil {
		r.Add("store", doctor.Problem, "%s", view.Line(err))
		return
	}
	r.Add("store", doctor.OK, "%s", cleantext.CleanLine(name))
	r.Add("key", doctor.OK, "%s", cleantext.CleanLine(a.keyFile(place)))
	state, unopened, err := a.texts(context.Background(), place)
	r.Encryption(a.keyFile(place), state.Seals(), !state.Settled())
	r.Unopened(unopened, err)
	r.Limits(limits)
	r.Ends(moved)
}

// texts returns whether a store's texts are encrypted, and counts those that cannot be
// decrypted.
func (a *app) texts(ctx context.Context, place string) (state atrest.State, unopened map[string]int64, err error) {
	_, store, err := a.openStore(ctx, place, false)
	if err != nil {
		return state, nil, err
	}
	defer func() { err = errors.Join(err, store.close()) }()
	of, ok := store.wholeStore.(convertible)
	if !ok {
		return state, nil, nil
	}
	if state, err = of.AtRest(ctx); err != nil || state == atrest.Off {
		return state, nil, err
	}
	unopened, err = of.Unopened(ctx)
	return state, unopened, err
}

func (a *app) checkClients(r *doctor.Report, root *cobra.Command) {
	installer, err := a.installer()
	if err != nil {
		r.Add("clients", doctor.Warning, "%s", view.Line(err))
		return
	}
	self, err := os.Executable()
	if err != nil {
		r.Add("clients", doctor.Warning, "%s", view.Line(err))
		return
	}
	w := doctor.World{Installer: installer, Self: self, Version: bridgeVersion(), Environ: a.environ()}
	w.Store, _ = a.storePath() // an error is reported by the check of the store
	if a.storeNamed(root) {
		w.DefaultStore = filepath.Join(xdg.StateHome, "bridge", "bridge.db")
	}
	r.Clients(w)
}
