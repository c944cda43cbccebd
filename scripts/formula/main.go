// Command formula writes the Homebrew formula of a release:
//
//	go run ./scripts/formula -version 0.2.0 FOLDER
//
// FOLDER contains the release's archives; bridge.rb is written to it. For macOS and
// Linux on both processors, the formula contains the address of the archive and its
// SHA-256. If one of the archives is missing, formula fails.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"text/template"
)

func main() {
	base := flag.String("base-url", "https://example.org/bridge/releases/download", "the address from which releases are downloaded")
	version := flag.String("version", "", "the version of the release, such as 0.2.0")
	flag.Parse()
	if flag.NArg() != 1 || *version == "" {
		fmt.Fprintln(os.Stderr, "usage: formula [-base-url …] -version VERSION FOLDER")
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *base, *version); err != nil {
		fmt.Fprintln(os.Stderr, "formula:", err)
		os.Exit(1)
	}
}

// archive is the download for one platform.
type archive struct{ URL, SHA256 string }

// formula is the data of the template. The keys are Go's names: darwin_arm64.
type formula struct {
	Version  string
	Archives map[string]archive
}

// versions are those that can be put into a formula as they are: a number, with the
// suffix of a snapshot.
var versions = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$`)

func run(folder, base, version string) error {
	if !versions.MatchString(version) {
		return fmt.Errorf("%q is not a version: use the form 0.2.0, without v", version)
	}
	f := formula{Version: version, Archives: map[string]archive{}}
	for _, platform := range []string{"darwin_arm64", "darwin_amd64", "linux_arm64", "linux_amd64"} {
		name := fmt.Sprintf("bridge_%s_%s.tar.gz", version, platform)
		sum, err := digest(filepath.Join(folder, name))
		if err != nil {
			return fmt.Errorf("the archive for %s: %w", platform, err)
		}
		f.Archives[platform] = archive{URL: fmt.Sprintf("%s/v%s/%s", base, version, name), SHA256: sum}
	}
	file, err := os.Create(filepath.Join(folder, "bridge.rb"))
	if err != nil {
		return err
	}
	err = text.Execute(file, f)
	if closing := file.Close(); err == nil {
		err = closing
	}
	return err
}

func digest(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// text is the formula. Homebrew's iproute2mac contains a program of the same name. On
// Linux, iproute2 is part of the system, outside of Homebrew, and the order in PATH
// decides.
var text = template.Must(template.New("bridge.rb").Parse(`# Made with the release: scripts/formula. Changes here are lost with the next one.
class Bridge < Formula
  desc "Let coding agents exchange messages while you watch"
  homepage "https://example.org/bridge"
  version "{{.Version}}"
  license "MIT"

  on_macos do
    on_arm do
{{- template "archive" .Archives.darwin_arm64}}
    end
    on_intel do
{{- template "archive" .Archives.darwin_amd64}}
    end
  end

  on_linux do
    on_arm do
{{- template "archive" .Archives.linux_arm64}}
    end
    on_intel do
{{- template "archive" .Archives.linux_amd64}}
    end
  end

  conflicts_with "iproute2mac", because: "both have a program of the name bridge"

  def install
    bin.install "bridge"
    generate_completions_from_executable(bin/"bridge", "completion", shells: [:bash, :zsh, :fish])
  end

  test do
    assert_equal "bridge v#{version}", shell_output("#{bin}/bridge --version").strip
    ENV["BRIDGE_DB"] = (testpath/"state/bridge.db").to_s
    pipe_output("#{bin}/bridge serve", "", 0)
    system bin/"bridge", "audit", "verify"
  end
end
{{define "archive"}}
      url "{{.URL}}"
      sha256 "{{.SHA256}}"
{{- end}}`))
