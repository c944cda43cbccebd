// Command mcpb builds the bundles that desktop clients install with a click:
//
//	go run ./scripts/mcpb -ldflags "…" OUTPUT GOOS/GOARCH…
//	go run ./scripts/mcpb -programs dist -version 0.2.0 OUTPUT GOOS/GOARCH…
//
// A bundle is a reproducible zip of packaging/mcpb/manifest.json, the licence and the
// program for one platform. mcpb also writes server.json for the registry, with the
// bundles and their hashes. With -programs, it uses programs already built by a release,
// so that a bundle contains the same program as the other packages.
package main

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	var o options
	flag.StringVar(&o.ldflags, "ldflags", "", "for go build")
	flag.StringVar(&o.base, "base-url", "https://example.org/bridge/releases/download", "the address from which releases are downloaded")
	flag.StringVar(&o.programs, "programs", "", "a folder with the programs of a release, instead of building them")
	flag.StringVar(&o.version, "version", "", "the version of the release, which must be that of server.json, or a snapshot (with a hyphen)")
	flag.Parse()
	if flag.NArg() < 2 {
		fmt.Fprintln(os.Stderr, "usage: mcpb [-ldflags …] [-base-url …] [-programs …] [-version …] OUTPUT GOOS/GOARCH…")
		os.Exit(2)
	}
	if err := o.run(flag.Arg(0), flag.Args()[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "mcpb:", err)
		os.Exit(1)
	}
}

type options struct{ ldflags, base, programs, version string }

// server is server.json with its packages.
type server struct {
	Schema      string    `json:"$schema"`
	Name        string    `json:"name"`
	Title       string    `json:"title"`
	Description string    `json:"description"`
	Version     string    `json:"version"`
	WebsiteURL  string    `json:"websiteUrl"`
	Packages    []pkgInfo `json:"packages"`
}

type pkgInfo struct {
	RegistryType string            `json:"registryType"`
	Identifier   string            `json:"identifier"`
	Version      string            `json:"version"`
	FileSha256   string            `json:"fileSha256"`
	Transport    map[string]string `json:"transport"`
}

// check refuses a release whose packages have another version.
func (o options) check(packages string) (string, error) {
	if o.version == "" {
		return packages, nil
	}
	if o.version != packages && !strings.Contains(o.version, "-") {
		return "", fmt.Errorf("the release is %s, but server.json says %s: change the versions first (TestOneVersion names the files)", o.version, packages)
	}
	return o.version, nil
}

func (o options) run(output string, platforms []string) error {
	text, err := os.ReadFile("server.json")
	if err != nil {
		return err
	}
	var s server
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	if s.Version, err = o.check(s.Version); err != nil {
		return err
	}
	if err := os.MkdirAll(output, 0o755); err != nil { //nolint:gosec // G301: a build folder is for everybody
		return err
	}
	for _, platform := range platforms {
		name := fmt.Sprintf("bridge-%s-%s.mcpb", s.Version, strings.ReplaceAll(platform, "/", "-"))
		sum, err := o.bundle(filepath.Join(output, name), platform, s.Version)
		if err != nil {
			return fmt.Errorf("%s: %w", platform, err)
		}
		fmt.Println(sum, "", filepath.Join(output, name))
		s.Packages = append(s.Packages, pkgInfo{
			RegistryType: "mcpb",
			Identifier:   fmt.Sprintf("%s/v%s/%s", o.base, s.Version, name),
			Version:      s.Version,
			FileSha256:   sum,
			Transport:    map[string]string{"type": "stdio"},
		})
	}
	text, err = json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(output, "server.json"), append(text, '\n'), 0o644) //nolint:gosec // G306: for everybody
}

// mcpbPlatforms maps Go's names of platforms to those of the manifest.
var mcpbPlatforms = map[string]string{"linux": "linux", "darwin": "darwin", "windows": "win32"}

// program returns the program for a platform: a new build, or that of the
// release.
func (o options) program(goos, goarch string) ([]byte, error) {
	if o.programs != "" {
		found, err := filepath.Glob(filepath.Join(o.programs, "bridge_"+goos+"_"+goarch+"*", "bridge*"))
		if err != nil {
			return nil, err
		}
		if len(found) != 1 {
			return nil, fmt.Errorf("%s has %d programs for it, exactly one is needed", o.programs, len(found))
		}
		return os.ReadFile(found[0])
	}
	work, err := os.MkdirTemp("", "mcpb-*")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(work) }()
	built := filepath.Join(work, "bridge")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", o.ldflags, "-o", built, "./cmd/bridge") //nolint:gosec // G204: the flags are the Makefile's
	build.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return nil, err
	}
	return os.ReadFile(built)
}

// bundle zips the program for a platform and returns the hash.
func (o options) bundle(path, platform, version string) (sum string, err error) {
	goos, goarch, _ := strings.Cut(platform, "/")
	manifest, err := manifestFor(mcpbPlatforms[goos], version)
	if err != nil {
		return "", err
	}
	program := "server/bridge"
	if goos == "windows" {
		program += ".exe"
	}
	binary, err := o.program(goos, goarch)
	if err != nil {
		return "", err
	}
	licence, err := os.ReadFile("LICENSE")
	if err != nil {
		return "", err
	}
	file, err := os.Create(path)
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	err = pack(io.MultiWriter(file, hash), []part{{"manifest.json", 0o644, manifest}, {"LICENSE", 0o644, licence}, {program, 0o755, binary}})
	if closing := file.Close(); err == nil {
		err = closing
	}
	return hex.EncodeToString(hash.Sum(nil)), err
}

// manifestFor returns the manifest with the version and the platform of the
// bundle.
func manifestFor(platform, version string) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join("packaging", "mcpb", "manifest.json"))
	if err != nil {
		return nil, err
	}
	var manifest map[string]any
	if err := json.Unmarshal(text, &manifest); err != nil {
		return nil, err
	}
	manifest["version"] = version
	manifest["compatibility"] = map[string]any{"platforms": []string{platform}}
	if platform == "win32" {
		manifest["server"].(map[string]any)["entry_point"] = "server/bridge.exe"
	}
	return json.MarshalIndent(manifest, "", "  ")
}

// part is a file in a bundle.
type part struct {
	name string
	mode os.FileMode
	text []byte
}

// released is the modification time of all files in a bundle, fixed so that
// bundles are reproducible.
var released = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

func pack(out io.Writer, parts []part) error {
	archive := zip.NewWriter(out)
	for _, p := range parts {
		header := &zip.FileHeader{Name: p.name, Method: zip.Deflate, Modified: released}
		header.SetMode(p.mode)
		w, err := archive.CreateHeader(header)
		if err != nil {
			return err
		}
		if _, err := w.Write(p.text); err != nil {
			return err
		}
	}
	return archive.Close()
}
