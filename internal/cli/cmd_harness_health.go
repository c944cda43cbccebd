package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/advice"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/harness/suite"
	"example.org/bridge/internal/view"
)

func newHarnessHealthCheckCmd(a *app) *cobra.Command {
	var environment, at string
	cmd := &cobra.Command{
		Use:   "health-check {SUITE | -- COMMAND... | --service URL}",
		Short: "Check that a server or the service of a suite works",
		Long: `Start a server, negotiate a revision, read what it offers and stop it. No tool is
called. The exit code is 0 if there are no findings, 13 if there are any, and 15 if the
server could not be started. With --service, check a running bridge harness serve
instead: the exit code is 0 if it answers and has completed its first run, otherwise 13.`,
		Example: `  bridge harness health-check suite.yaml
  bridge harness health-check --service http://127.0.0.1:8080`,
		Args: func(cmd *cobra.Command, args []string) error {
			if at != "" && len(args) == 0 {
				return nil
			}
			if at != "" {
				return a.badSuite(errors.New("give --service or a server, not both"))
			}
			return a.serverArgs(0)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if at != "" {
				return a.askService(cmd.Context(), at)
			}
			s, err := a.server(cmd, args, environment)
			if err != nil {
				return err
			}
			return a.checkHealth(cmd.Context(), s)
		},
	}
	textFlag(cmd.Flags(), &environment, kindText, "environment", "one of the suite's environments")
	textFlag(cmd.Flags(), &at, kindText, "service", "the address of a service, such as http://127.0.0.1:8080")
	return cmd
}

// health is the result of a check of a server, for --json.
type health struct {
	Revision string `json:"revision"`
	Tools    int    `json:"tools"`
	Findings int    `json:"findings"`
}

func (a *app) checkHealth(ctx context.Context, s *suite.Suite) error {
	snapshot, found, err := a.takeSnapshot(ctx, s)
	if err != nil {
		return err
	}
	h := health{snapshot.Revision, len(snapshot.Tools), len(found)}
	if a.json {
		err = a.printJSON(h)
	} else {
		_, err = fmt.Fprintf(a.stdout, "The server speaks revision %s and offers %s; %s.\n",
			cleantext.CleanLine(h.Revision), view.Count(int64(h.Tools), "tool"), view.Count(int64(h.Findings), "finding"))
	}
	if err == nil && len(found) > 0 {
		err = &exitError{advice.ExitFinding}
	}
	return err
}

const askLimit = 10 * time.Second

// askService asks a service whether it is ready.
func (a *app) askService(ctx context.Context, at string) error {
	base, err := url.Parse(at)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return a.badSuite(errors.New("--service must be an address such as http://127.0.0.1:8080"))
	}
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	said, status := ready(ctx, base.JoinPath("ready").String())
	if a.json {
		err = a.printJSON(map[string]any{"ready": status == http.StatusOK, "status": said})
	} else {
		_, err = fmt.Fprintf(a.stdout, "The service says: %s\n", said)
	}
	if err == nil && status != http.StatusOK {
		err = &exitError{advice.ExitFinding}
	}
	return err
}

// ready returns a short text about the service's state, and its status code; 0 if it
// does not answer.
func ready(ctx context.Context, address string) (said string, status int) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "nothing", 0
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "nothing: it cannot be reached", 0
	}
	defer func() { _ = answer.Body.Close() }()
	var body struct{ Status, Error string }
	data, _ := io.ReadAll(io.LimitReader(answer.Body, 4<<10))
	_ = json.Unmarshal(data, &body)
	return cleantext.CleanLine(fmt.Sprintf("%s%s (%d)", body.Status, body.Error, answer.StatusCode)), answer.StatusCode
}
