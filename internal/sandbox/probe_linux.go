package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"example.org/bridge/internal/systemtool"
)

// probeTimeout limits the command that tries a backend.
const probeTimeout = 20 * time.Second

// Probe tries bubblewrap and Landlock, and with an image in opts also Docker and
// Podman, by actually running a command in each. Of opts it uses HiddenPaths,
// ReadRoots and Image.
func Probe(ctx context.Context, opts Options) []BackendStatus {
	backends := []Backend{Bubblewrap, Landlock}
	if opts.Image != "" {
		backends = append(backends, Docker, Podman)
	}
	found := make([]BackendStatus, 0, len(backends))
	for _, b := range backends {
		found = append(found, probe(ctx, b, opts))
	}
	return found
}

func probe(ctx context.Context, b Backend, opts Options) BackendStatus {
	status := BackendStatus{Backend: b, Detail: backendDetail(ctx, b)}
	dir, err := os.MkdirTemp("", "bridge-probe-")
	if err != nil {
		status.Err = err
		return status
	}
	defer func() { _ = os.RemoveAll(dir) }()
	const word = "ready"
	list := List{{Stages: []Stage{{Print: true, Text: word}, {Path: "/usr/bin/cat", Args: []string{"cat"}}}}}
	res, err := Run(ctx, list, Options{
		Workspace: dir, Backend: b, Image: opts.Image, Timeout: probeTimeout,
		HiddenPaths: opts.HiddenPaths, ReadRoots: opts.ReadRoots,
	})
	switch {
	case err != nil:
		status.Err = err
	case res.ExitCode != 0 || string(res.Stdout) != word:
		status.Err = fmt.Errorf("%w: %s ran, but a command in it failed with status %d: %.200q",
			ErrUnavailable, b, res.ExitCode, res.Stderr)
	}
	return status
}

// backendDetail returns a version for display. No decision depends on it.
func backendDetail(ctx context.Context, b Backend) string {
	switch b {
	case Bubblewrap:
		tool, err := systemtool.Find("bwrap")
		if err != nil {
			return ""
		}
		out, err := exec.CommandContext(ctx, tool, "--version").Output() // #nosec G204 -- root's own program
		if err != nil {
			return ""
		}
		return string(bytes.TrimSpace(out))
	case Landlock:
		abi, err := landlockABI()
		if err != nil {
			return ""
		}
		return fmt.Sprintf("Landlock ABI %d", abi)
	}
	return ""
}

// choose returns the first backend that works.
func choose(ctx context.Context, opts Options) (Backend, error) {
	return chooseFrom(ctx, func(b Backend) BackendStatus { return probe(ctx, b, opts) })
}

func chooseFrom(ctx context.Context, try func(Backend) BackendStatus) (Backend, error) {
	var reasons []string
	for _, b := range []Backend{Bubblewrap, Landlock} {
		status := try(b)
		if status.Err == nil {
			return b, nil
		}
		reasons = append(reasons, fmt.Sprintf("%s: %s", b, strings.TrimPrefix(status.Err.Error(), "sandbox: ")))
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	return "", fmt.Errorf("%w: install bubblewrap (%s)", ErrUnavailable, strings.Join(reasons, "; "))
}

// Choose returns the backend that Run uses if none is named, or an
// [ErrUnavailable] that says why there is none.
func Choose(ctx context.Context, opts Options) (Backend, error) {
	b, err := choose(ctx, opts)
	if err != nil && !errors.Is(err, ErrUnavailable) {
		err = fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return b, err
}
