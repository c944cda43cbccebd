package cli_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/keyfile"
	"example.org/bridge/internal/sqlite"
	"example.org/bridge/internal/sqlite/storefile"
	"example.org/bridge/internal/steps"
	"example.org/bridge/internal/tasks"
)

// seedStep is one line of the seed program's input. One of the verbs must be set.
type seedStep struct {
	Clock  string `json:"clock"`  // moves the clock from now on, such as "-4h"
	Create string `json:"create"` // names a conversation for later steps, and prints its id
	Send   string `json:"send"`
	Read   string `json:"read"`
	Take   string `json:"take"` // reads without finishing: the claim is left open
	Status string `json:"status"`
	Join   string `json:"join"`
	Assign string `json:"assign"` // assigns a task with title, body and needs
	Report string `json:"report"` // on the task with number task
	Beat   string `json:"beat"`
	Claim  string `json:"claim"` // claims files for the reason text
	Write  string `json:"write"` // sets the text of the first of files, replacing version
	Log    string `json:"log"`   // logs text as a step, about task

	Session string   `json:"session"`
	Roles   []string `json:"roles"`
	Team    string   `json:"team"`
	TTL     string   `json:"ttl"`
	Text    string   `json:"text"`
	Action  string   `json:"action"`
	Files   []string `json:"files"`
	Times   int      `json:"times"`
	As      string   `json:"as"`
	Title   string   `json:"title"`
	Needs   string   `json:"needs"`
	Task    int64    `json:"task"`
	Version int64    `json:"version"`
}

// seeder fills a store through the service, without limits, and with a clock that
// scripts can set.
type seeder struct {
	*bridge.Service
	*seedTasks
	*seedClaims
	*seedFiles
	*seedSteps
	offset  time.Duration
	created map[string]bridge.Created
}

// Names that seeder can embed.
type (
	seedTasks  = tasks.Service
	seedClaims = claims.Service
	seedFiles  = files.Service
	seedSteps  = steps.Service
)

// seedMain is the program seed: it fills the store at the given path with the steps on
// its standard input.
func seedMain() int {
	path := os.Args[1]
	if err := storefile.Prepare(path); err != nil {
		return fatal(err)
	}
	key, err := keyfile.LoadOrCreate(filepath.Join(filepath.Dir(path), "bridge.key"))
	if err != nil {
		return fatal(err)
	}
	ctx := context.Background()
	store, err := sqlite.Open(ctx, path, sqlite.Options{Key: key, Create: true})
	if err != nil {
		return fatal(err)
	}
	s := &seeder{created: map[string]bridge.Created{}}
	s.Service = bridge.New(bridge.Config{Store: store, Key: key, Now: func() time.Time { return time.Now().Add(s.offset) }})
	s.seedTasks, s.seedClaims, s.seedFiles = tasks.New(s.Service, store), claims.New(s.Service, store), files.New(s.Service, store)
	s.seedSteps = steps.New(s.Service, store)
	if err := errors.Join(s.run(ctx), store.Close()); err != nil {
		return fatal(err)
	}
	return 0
}

func (s *seeder) run(ctx context.Context) error {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for number := 1; lines.Scan(); number++ {
		var step seedStep
		if err := json.Unmarshal(lines.Bytes(), &step); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		for range max(step.Times, 1) {
			if err := s.do(ctx, step); err != nil {
				return fmt.Errorf("line %d: %w", number, err)
			}
		}
	}
	return lines.Err()
}

func (s *seeder) do(ctx context.Context, step seedStep) error {
	switch {
	case step.Clock != "":
		offset, err := time.ParseDuration(step.Clock)
		s.offset = offset
		return err
	case step.Create != "":
		return s.create(ctx, step)
	case step.Send != "":
		_, err := s.Send(ctx, s.credentials(step.Send, step.Session),
			bridge.SendRequest{Text: step.Text, Action: bridge.ActionType(step.Action), Files: step.Files})
		return err
	case step.Read != "":
		d, err := s.Check(ctx, s.credentials(step.Read, step.Session), bridge.CheckRequest{}, nil)
		if err != nil {
			return err
		}
		return s.Confirm(ctx, d.Claim)
	case step.Take != "":
		_, err := s.Check(ctx, s.credentials(step.Take, step.Session), bridge.CheckRequest{}, nil)
		return err
	case step.Status != "":
		_, err := s.UpdateStatus(ctx, s.credentials(step.Status, step.Session), bridge.Status(step.As))
		return err
	case step.Join != "":
		_, err := s.Join(ctx, s.created[step.Join].JoinCode)
		return err
	case step.Assign != "":
		_, err := s.AssignTask(ctx, s.credentials(step.Assign, "a"), tasks.AssignRequest{Title: step.Title, Body: step.Text, Needs: step.Needs})
		return err
	case step.Report != "":
		_, err := s.UpdateTask(ctx, s.credentials(step.Report, step.Session),
			tasks.Report{ID: step.Task, State: tasks.State(step.As), Note: step.Text})
		return err
	case step.Claim != "":
		_, err := s.Take(ctx, s.credentials(step.Claim, step.Session), claims.Request{Paths: step.Files, Reason: step.Text})
		return err
	case step.Log != "":
		_, err := s.LogStep(ctx, s.credentials(step.Log, step.Session), steps.LogRequest{Text: step.Text, Task: step.Task})
		return err
	case step.Write != "":
		_, err := s.WriteFile(ctx, s.credentials(step.Write, step.Session),
			files.WriteRequest{Name: files.Name{Path: step.Files[0], Task: step.Task}, Text: step.Text, Version: step.Version})
		return err
	case step.Beat != "":
		_, err := s.Heartbeat(ctx, s.credentials(step.Beat, step.Session))
		return err
	}
	return errors.New("no verb")
}

func (s *seeder) create(ctx context.Context, step seedStep) error {
	request := bridge.CreateRequest{MyRole: "backend", PartnerRole: "frontend", Team: step.Team}
	if len(step.Roles) == 2 {
		request.MyRole, request.PartnerRole = step.Roles[0], step.Roles[1]
	}
	if step.TTL != "" {
		ttl, err := time.ParseDuration(step.TTL)
		if err != nil {
			return err
		}
		request.TTL = ttl
	}
	for name := range s.created {
		request.Holds = append(request.Holds, s.credentials(name, "a"))
	}
	created, err := s.Create(ctx, request)
	if err != nil {
		return err
	}
	s.created[step.Create] = created
	fmt.Println(step.Create, created.ID)
	return nil
}

func (s *seeder) credentials(name, session string) bridge.Credentials {
	c := s.created[name]
	if session == "b" {
		return bridge.Credentials{Conversation: c.ID, Session: bridge.SessionB, Token: c.TokenB}
	}
	return bridge.Credentials{Conversation: c.ID, Session: bridge.SessionA, Token: c.TokenA}
}
