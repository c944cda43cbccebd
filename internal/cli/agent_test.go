package cli_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.org/bridge/internal/bridgetest"
)

// agentMain is the program agent: an MCP client that starts "bridge serve" with its own
// arguments appended, and calls tools. Each line of its standard input is a tool's name
// and its arguments as JSON, with $NAME for environment variables. It prints the text
// of each result, preceded by "error: " if it is an error.
//
// Other lines are commands: "meta JSON" sets the _meta of later calls, "run LINE" runs
// a line in a shell, "hook CLIENT JSON" runs a hook as a client does and prints its
// output, and "wait CLIENT JSON" leaves a waiting hook running. $LAST_CONVERSATION and
// $LAST_PARTNER refer to the conversation that was created last.
//
// Under names such as "codex app-server", "claude bg-spare" and "opencode serve" it
// acts as a client's shared process. Its own variable ENTRY_X becomes the variable X of
// the server, like a variable that the client's configuration sets.
func agentMain() int {
	ctx := context.Background()
	arguments := os.Args[1:]
	if len(arguments) > 0 && !strings.HasPrefix(arguments[0], "-") {
		arguments = arguments[1:]
	}
	arguments = slices.DeleteFunc(arguments, func(a string) bool { return a == "--cline-hub-daemon" })
	server := exec.Command("bridge", append([]string{"serve"}, arguments...)...)
	server.Env = os.Environ()
	for _, variable := range os.Environ() {
		if set, ok := strings.CutPrefix(variable, "ENTRY_"); ok {
			server.Env = append(server.Env, set)
		}
	}
	server.Stderr = os.Stderr
	client := mcp.NewClient(&mcp.Implementation{Name: "agent", Version: "1"}, nil)
	session, err := client.Connect(ctx, &mcp.CommandTransport{Command: server}, nil)
	if err != nil {
		return fatal(err)
	}
	if err := errors.Join(callTools(ctx, session), session.Close()); err != nil {
		return fatal(err)
	}
	return 0
}

func callTools(ctx context.Context, session *mcp.ClientSession) error {
	var meta mcp.Meta
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		tool, arguments, _ := strings.Cut(strings.TrimSpace(os.ExpandEnv(lines.Text())), " ")
		switch {
		case arguments == "":
			arguments = "{}"
		case tool == "meta":
			meta = nil // the _meta replaces the earlier one
			if err := json.Unmarshal([]byte(arguments), &meta); err != nil {
				return err
			}
			continue
		case tool == "hook":
			if err := runHook(arguments); err != nil {
				return err
			}
			continue
		case tool == "run":
			shell := exec.Command("sh", "-c", arguments)
			shell.Stdout, shell.Stderr = os.Stdout, os.Stderr
			if err := shell.Run(); err != nil {
				return err
			}
			continue
		case tool == "wait":
			if err := leaveWaiter(arguments); err != nil {
				return err
			}
			continue
		}
		answer, err := session.CallTool(ctx, &mcp.CallToolParams{Meta: meta, Name: tool, Arguments: json.RawMessage(arguments)})
		if err != nil {
			return err
		}
		for _, content := range answer.Content {
			text, ok := content.(*mcp.TextContent)
			if !ok {
				return fmt.Errorf("%s answered with a %T", tool, content)
			}
			if answer.IsError {
				fmt.Print("error: ")
			}
			fmt.Println(text.Text)
			if m := createdText.FindStringSubmatch(text.Text); m != nil {
				if err := errors.Join(os.Setenv("LAST_CONVERSATION", m[1]), os.Setenv("LAST_PARTNER", partnerToken(m[1], text.Text))); err != nil {
					return err
				}
			}
		}
	}
	return lines.Err()
}

// createdText is the text of create_conversation's result.
var (
	createdText = regexp.MustCompile(`^Conversation ID: (\S+)\n`)
	partnerText = regexp.MustCompile(`\nPartner token \(session b\): (\S+)\n`)
)

// partnerToken finds the token of session b in the result. If the client is not shown
// tokens, it uses the operator's command; "" if that uses another store.
func partnerToken(conversation, answer string) string {
	if m := partnerText.FindStringSubmatch(answer); m != nil {
		return m[1]
	}
	var tokens struct {
		B string `json:"session_b_token"`
	}
	text, err := exec.Command("bridge", "tokens", conversation, "--json").Output()
	if err != nil || json.Unmarshal(text, &tokens) != nil {
		return ""
	}
	return tokens.B
}

// runHook runs "bridge hook" until it exits.
func runHook(line string) error {
	hook := hookCommand(line, "")
	hook.Stdout, hook.Stderr = os.Stdout, os.Stderr
	return hook.Run()
}

// leaveWaiter starts a waiting hook and returns once it is waiting.
func leaveWaiter(line string) error {
	if err := hookCommand(line, " --wait").Start(); err != nil {
		return err
	}
	waits := func() bool {
		waiters, _ := fs.Glob(os.DirFS(filepath.Dir(os.Getenv("DB"))), "bindings/*.wait")
		return len(waiters) > 0
	}
	if !bridgetest.Polled(waits) {
		return errors.New("the hook never waited")
	}
	return nil
}

// hookCommand starts "bridge hook" through a shell, as clients do.
func hookCommand(line, more string) *exec.Cmd {
	client, event, _ := strings.Cut(line, " ")
	hook := exec.Command("sh", "-c", "bridge hook "+client+more)
	hook.Stdin = strings.NewReader(event)
	return hook
}
