package sandbox

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// Op says when a pipeline of a [List] runs, depending on the status of the
// previous one.
type Op string

// The operators of a list. The first pipeline of a list has [Always].
const (
	Always Op = ""   // after ";" or at the start
	And    Op = "&&" // only if the status so far is 0
	Or     Op = "||" // only if the status so far is not 0
)

// Redirect is one redirection of a stage. They apply in order, as in a shell:
// StderrToStdout before StdoutToNull leaves standard error on the pipe.
type Redirect string

// The redirections that a stage may have.
const (
	StdinFromNull  Redirect = "</dev/null"
	StdoutToNull   Redirect = ">/dev/null"
	StderrToNull   Redirect = "2>/dev/null"
	StderrToStdout Redirect = "2>&1"
	StdoutToStderr Redirect = "1>&2"
)

// Limits of a [List].
const (
	maxStages   = 64
	maxArgs     = 16 << 10
	maxArgBytes = 1 << 20
)

// ErrCommand means that a list is not valid and cannot be run.
var ErrCommand = errors.New("sandbox: the command cannot be run")

// Stage is one program of a pipeline, or a text that the bridge prints instead of
// running a program (for builtins such as pwd).
type Stage struct {
	// Path is the program's absolute path in the sandbox.
	Path string `json:"path,omitempty"`
	// Args are all arguments, beginning with the program's name.
	Args []string `json:"args,omitempty"`
	// Print means that no program runs: Text goes to standard output, and Status
	// is the stage's status.
	Print  bool   `json:"print,omitempty"`
	Text   string `json:"text,omitempty"`
	Status int    `json:"status,omitempty"`
	// Redirects apply in order, after the pipes are connected.
	Redirects []Redirect `json:"redirects,omitempty"`
}

// Pipeline is stages joined by pipes. Its status is that of the last stage.
type Pipeline struct {
	Op     Op      `json:"op,omitempty"`
	Stages []Stage `json:"stages"`
}

// List is a command as it was approved: pipelines in order, joined by && || and
// ;.
type List []Pipeline

// Program returns a list that runs one program, given its absolute path and its
// arguments without the name.
func Program(path string, args ...string) List {
	argv := append([]string{path}, args...)
	return List{{Stages: []Stage{{Path: path, Args: argv}}}}
}

// Validate returns an [ErrCommand] that says why the list cannot be run, or nil.
func (l List) Validate() error {
	stages, args, size := 0, 0, 0
	for i, p := range l {
		if err := p.validate(i == 0); err != nil {
			return fmt.Errorf("%w: %w", ErrCommand, err)
		}
		for _, s := range p.Stages {
			stages++
			args += len(s.Args)
			size += len(s.Text)
			for _, a := range s.Args {
				size += len(a)
			}
		}
	}
	switch {
	case stages == 0:
		return fmt.Errorf("%w: it is empty", ErrCommand)
	case stages > maxStages:
		return fmt.Errorf("%w: it has %d programs, at most %d are allowed", ErrCommand, stages, maxStages)
	case args > maxArgs || size > maxArgBytes:
		return fmt.Errorf("%w: its arguments are too long", ErrCommand)
	}
	return nil
}

func (p Pipeline) validate(first bool) error {
	switch {
	case p.Op != Always && p.Op != And && p.Op != Or:
		return fmt.Errorf("unknown operator %q", p.Op)
	case first && p.Op != Always:
		return fmt.Errorf("it begins with the operator %q", p.Op)
	case len(p.Stages) == 0:
		return errors.New("a pipeline is empty")
	}
	for _, s := range p.Stages {
		if err := s.validate(); err != nil {
			return err
		}
	}
	return nil
}

func (s Stage) validate() error {
	for _, r := range s.Redirects {
		switch r {
		case StdinFromNull, StdoutToNull, StderrToNull, StderrToStdout, StdoutToStderr:
		default:
			return fmt.Errorf("unknown redirection %q", r)
		}
	}
	if s.Print {
		if s.Path != "" || len(s.Args) != 0 {
			return errors.New("a stage both prints and runs a program")
		}
		if s.Status < 0 || s.Status > 255 {
			return fmt.Errorf("a status of %d is not possible", s.Status)
		}
		return nil
	}
	if !filepath.IsAbs(s.Path) || filepath.Clean(s.Path) != s.Path {
		return fmt.Errorf("the program's path %q is not absolute and clean", s.Path)
	}
	if len(s.Args) == 0 {
		return errors.New("a program has no arguments, not even its name")
	}
	for _, a := range append(s.Args, s.Path) {
		if strings.ContainsRune(a, 0) {
			return errors.New("an argument contains a NUL byte")
		}
	}
	return nil
}
