// Package server is what there is of a PostgreSQL server whatever the store on it
// holds: how it is reached, what its errors mean, its clock, and notifications. It
// knows no table.
package server
