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

// Save keeps a case in a folder, which is made where there is none, and returns the path.
func Save(folder string, c Case) (string, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", fmt.Errorf("cannot make the folder for cases: %w", err)
	}
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return "", err
	}
	name := unsafeName().ReplaceAllString(c.What+"-"+c.Name, "_")
	path := filepath.Join(folder, name[:min(len(name), 80)]+"."+string(c.Kind)+".json")
	if err := os.WriteFile(path, append(data, '\n'), 0o600); err != nil {
		return "", fmt.Errorf("cannot keep a case: %w", err)
	}
	return path, nil
}

// Load reads the cases of a folder; one that is not there has none.
func Load(folder string) (cases []Case, err error) {
	names, err := fs.Glob(os.DirFS(folder), "*.json")
	if err != nil {
		return nil, fmt.Errorf("the folder of cases cannot be read: %w", err)
	}
	for _, name := range names {
		path := filepath.Join(folder, name)
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("a case cannot be read: %w", err)
		}
		var c Case
		if json.Unmarshal(data, &c) != nil || c.What == "" || c.Name == "" {
			return nil, fmt.Errorf("%s is not a case of `bridge harness fuzz`", path)
		}
		cases = append(cases, c)
	}
	return cases, nil
}
