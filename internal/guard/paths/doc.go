// Package paths says where a path may lead: which folders may be read, which
// files are secrets, and which are never written. It is the one table of these
// for the guard's policy and for the sandbox.
//
// It knows names and symbolic links only, and decides nothing about commands.
package paths
