//go:build !unix

package postgrestest

import "os/exec"

const supported = false

func give(string) error { return nil }

func ordinary(*exec.Cmd) {}

func alone(*exec.Cmd) {}

func killAll(int) error { return nil }
