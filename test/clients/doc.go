// Package clients tests the program with the real clients and scripted models.
// It has tests only.
package clients
