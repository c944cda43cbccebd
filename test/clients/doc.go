// Package clients tests the program with real clients and scripted models. It
// contains only tests.
package clients
