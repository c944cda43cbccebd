package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

// result is what became of one change.
type result struct {
	Place   string `json:"place"`
	Change  string `json:"change"`
	Outcome string `json:"outcome"` // noticed, survived
	By      string `json:"by,omitempty"`
}

// load reads what was tried before.
func load(path string, known map[string]result) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil // nothing was tried yet
	}
	for line := range bytes.Lines(text) {
		var r result
		if err := json.Unmarshal(line, &r); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		known[r.Place+r.Change] = r
	}
	return nil
}

// keep notes what became of a change.
func keep(path string, r result) error {
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(json.NewEncoder(f).Encode(r), f.Close())
}
