//go:build !linux

package main

import (
	"errors"
	"os/exec"
)

func confine(*exec.Cmd, string) error { return errors.New("this system cannot do that") }
