// Package ui_test accesses the page as a browser does, and as unauthorized clients would.
package ui_test
