// Package bench compares the bridge's store on modernc.org/sqlite, which the
// product uses, with the same code on the original SQLite in C. It is a module of
// its own, so that cgo stays out of the product.
package bench
