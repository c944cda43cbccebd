package clients_test

import (
	"bytes"
	"context"
	"strings"

	"example.org/bridge/test/clients/stub"
)

// seat is a client with a scripted model.
type seat struct {
	*user
	client
	model *stub.Model
}

// seat connects a client of the user to a model.
func (u *user) seat(c client, script func(*stub.Agent)) *seat {
	u.Helper()
	s := &seat{u, c, stub.Start(c.wire, script)}
	u.Cleanup(s.model.Close)
	return s
}

// transcript is the result of a prompt.
type transcript struct {
	out     string
	session string // the client's own ID of the session
}

// prompt passes a prompt to the client and waits until it has finished.
func (s *seat) prompt(text string) transcript {
	s.Helper()
	return s.begin(text).end()
}

// resume continues an earlier session of the client in a new process.
func (s *seat) resume(earlier transcript, text string) transcript {
	s.Helper()
	return s.start(text, earlier.session).end()
}

// begin starts the client on a prompt.
func (s *seat) begin(text string) *running {
	s.Helper()
	return s.start(text, "")
}

// running is a client that is processing a prompt.
type running struct {
	*seat
	out    bytes.Buffer
	ended  chan struct{}
	err    error
	cancel func()
}

func (s *seat) start(prompt, session string) *running {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), callTimeout)
	r := &running{seat: s, ended: make(chan struct{}), cancel: cancel}
	program := s.program
	if s.shell {
		program = "sh"
	}
	cmd := s.command(ctx, program, s.args(s.model.URL(), prompt, session)...)
	cmd.Env = append(cmd.Env[:len(cmd.Env):len(cmd.Env)], s.client.model(s.model.URL())...)
	cmd.Stdout, cmd.Stderr = &r.out, &r.out
	if err := cmd.Start(); err != nil {
		cancel()
		s.Fatal(err)
	}
	go func() {
		defer close(r.ended)
		r.err = cmd.Wait()
	}()
	s.Cleanup(func() {
		cancel()
		<-r.ended
	})
	return r
}

// end waits until the client has finished successfully.
func (r *running) end() transcript {
	r.Helper()
	defer r.cancel()
	<-r.ended
	if r.err != nil {
		r.Fatalf("%s: %v\n%s", r.program, r.err, r.out.String())
	}
	t := transcript{out: r.out.String()}
	if found := r.client.session.FindStringSubmatch(t.out); found != nil {
		t.session = found[1]
	} else {
		r.Errorf("%s does not say its session:\n%s", r.program, t.out)
	}
	if odd := r.model.Odd(); len(odd) > 0 {
		r.Logf("%s asked its model for more than a model has: %s", r.program, strings.Join(odd, ", "))
	}
	return t
}

// hear waits for a value from a script, as long as its client is running.
func hear[T any](r *running, from <-chan T) (said T) {
	r.Helper()
	select {
	case said = <-from:
	case <-r.ended:
		r.Fatalf("%s ended early: %v\n%s", r.program, r.err, r.out.String())
	}
	return said
}
