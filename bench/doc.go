// Package bench compares the bridge's store on modernc.org/sqlite, which the
// product uses, with the same code on SQLite in C. Its folder charts draws the
// results of `bridge bench`. Both are in a separate module, so that cgo and a
// plotting library stay out of the product.
package bench
