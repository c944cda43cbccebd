package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// result is the outcome of one change.
type result struct {
	Place   string `json:"place"`
	Change  string `json:"change"`
	Outcome string `json:"outcome"` // noticed, survived
	By      string `json:"by,omitempty"`
}

// load reads the results of earlier runs.
func load(path string, known map[string]result) error {
	all, err := lines[result](path)
	for _, r := range all {
		known[r.Place+r.Change] = r
	}
	return err
}

// lines reads a file of JSON lines; none if there is no such file.
func lines[T any](path string) (all []T, err error) {
	text, err := os.ReadFile(path)
	if path == "" || errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for line := range bytes.Lines(text) {
		var one T
		if err := json.Unmarshal(line, &one); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, one)
	}
	return all, nil
}

// keep appends a line to such a file.
func keep(path string, one any) error {
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(json.NewEncoder(f).Encode(one), f.Close())
}
