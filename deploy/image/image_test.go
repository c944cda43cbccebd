package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// build builds the program of this repository like a release.
func build(t *testing.T) (program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "bridge")
	cmd := exec.Command("go", "build", "-C", "../..", "-trimpath", "-buildvcs=false", "-o", program, "./cmd/bridge")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// write makes an image of a program and reads it back.
func write(t *testing.T, program string) (digest string, image v1.Image) {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "layout")
	digest, err := Spec{Program: program, OS: runtime.GOOS, Architecture: runtime.GOARCH, Version: "v9.9.9"}.WriteLayout(folder)
	must(t, err)
	path, err := layout.FromPath(folder)
	must(t, err)
	hash, err := v1.NewHash(digest)
	must(t, err)
	image, err = path.Image(hash)
	must(t, err)
	must(t, validate.Image(image))
	return digest, image
}

// TestSameDigest checks that the image depends only on the program, and not on its path,
// its permissions or the time.
func TestSameDigest(t *testing.T) {
	content := []byte("a program")
	one, other := filepath.Join(t.TempDir(), "bridge"), filepath.Join(t.TempDir(), "another")
	must(t, os.WriteFile(one, content, 0o755))
	must(t, os.WriteFile(other, content, 0o600))
	first, _ := write(t, one)
	if second, _ := write(t, other); first != second {
		t.Errorf("the same program gives %s and %s", first, second)
	}
	must(t, os.WriteFile(other, append(content, '!'), 0o600))
	if second, _ := write(t, other); first == second {
		t.Errorf("another program gives %s, too", second)
	}
}

// TestNewFolder checks that an existing folder is not overwritten.
func TestNewFolder(t *testing.T) {
	folder := t.TempDir()
	if _, err := (Spec{Program: "image.go"}).WriteLayout(folder); err == nil || !strings.Contains(err.Error(), "already exists") {
		t.Errorf("error %v", err)
	}
}

// TestRuns unpacks the image and runs its program as the image's user, who can only write
// to the state folder: without a network, without any other file, and with the unpacked
// image as its root.
func TestRuns(t *testing.T) {
	_, image := write(t, build(t))
	config, err := image.ConfigFile()
	must(t, err)
	if config.Config.User != "65532:65532" {
		t.Errorf("the user is %q", config.Config.User)
	}
	root := t.TempDir()
	unpack(t, image, root)
	for _, args := range [][]string{{"serve"}, {"audit", "verify"}, {"list"}} {
		cmd := exec.Command(config.Config.Entrypoint[0], args...)
		cmd.Env = config.Config.Env
		if err := confine(cmd, root); err != nil {
			t.Skipf("MISSING: -root on Linux: %v", err)
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("bridge %v: %v\n%s", args, err, out)
		}
	}
	if _, err := os.Stat(filepath.Join(root, "state", "bridge", "bridge.db")); err != nil {
		t.Error(err)
	}
}

// unpack writes the files of an image into a folder.
func unpack(t *testing.T, image v1.Image, root string) {
	t.Helper()
	layers, err := image.Layers()
	must(t, err)
	for _, layer := range layers {
		files, err := layer.Uncompressed()
		must(t, err)
		for r := tar.NewReader(files); ; {
			h, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			must(t, err)
			name := filepath.Join(root, h.Name)
			if h.Typeflag == tar.TypeDir {
				must(t, os.Mkdir(name, 0o700))
			} else {
				var content bytes.Buffer
				_, err := io.Copy(&content, r)
				must(t, err)
				must(t, os.WriteFile(name, content.Bytes(), 0o700))
			}
			if os.Getuid() == 0 {
				must(t, os.Chown(name, h.Uid, h.Gid))
			}
			must(t, os.Chmod(name, h.FileInfo().Mode()))
		}
		must(t, files.Close())
	}
	must(t, os.Chmod(root, 0o755))
}
