// Package bench compares the bridge's store on modernc.org/sqlite, which the
// product uses, with the same code on the original SQLite in C. Charts, below it,
// draws what `bridge bench` measured. It is a module of
// its own, so that cgo and a plotting library stay out of the product.
package bench
