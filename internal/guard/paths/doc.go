// Package paths says where a path may lead: which folders may be read, which
// files are secrets, and which are never written. The guard's policy and the
// sandbox share its tables.
//
// It looks only at names and symbolic links, and makes no decision about commands.
package paths
