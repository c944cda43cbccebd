// Command image makes an OCI image of one statically linked program, without a daemon, a
// network or root:
//
//	image PROGRAM GOOS/GOARCH VERSION LAYOUT
//
// It writes an image layout
// (https://github.com/opencontainers/image-spec/blob/main/image-layout.md) into the new
// folder LAYOUT, and prints the image's digest. The same program gives the same digest.
package main

import (
	"fmt"
	"os"
	"strings"
)

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: image PROGRAM GOOS/GOARCH VERSION LAYOUT")
		os.Exit(2)
	}
	system, processor, found := strings.Cut(os.Args[2], "/")
	if !found {
		fmt.Fprintln(os.Stderr, "image: the platform must have the form GOOS/GOARCH, such as linux/amd64")
		os.Exit(2)
	}
	digest, err := Spec{Program: os.Args[1], OS: system, Architecture: processor, Version: os.Args[3]}.WriteLayout(os.Args[4])
	if err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
	fmt.Println(digest)
}
