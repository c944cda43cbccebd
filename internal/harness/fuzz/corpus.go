package fuzz

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"example.org/bridge/internal/lazyregexp"
)

var unsafeName = lazyregexp.New(`[^A-Za-z0-9_-]+`)

// Save writes a case to a folder, creating the folder if needed, and returns the path.
func Save(folder string, c Case) (string, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", fmt.Errorf("cannot create the folder for cases: %w", err)
	}
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return "", err
	}
	name := unsafeName().ReplaceAllString(c.What+"-"+c.Name, "_")
	path := filepath.Join(folder, name[:min(len(name), 80)]+"."+string(c.Kind)+".json")
	if err := os.WriteFile(path, append(data, '\n'), 0o600); err != nil {
		return "", fmt.Errorf("cannot save a case: %w", err)
	}
	return path, nil
}

// Load reads the cases of a folder. A missing folder contains none.
func Load(folder string) (cases []Case, err error) {
	names, err := fs.Glob(os.DirFS(folder), "*.json")
	if err != nil {
		return nil, fmt.Errorf("cannot read the folder of cases: %w", err)
	}
	for _, name := range names {
		path := filepath.Join(folder, name)
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("cannot read a case: %w", err)
		}
		var c Case
		if json.Unmarshal(data, &c) != nil || c.What == "" || c.Name == "" {
			return nil, fmt.Errorf("%s is not a case of `bridge harness fuzz`", path)
		}
		cases = append(cases, c)
	}
	return cases, nil
}
