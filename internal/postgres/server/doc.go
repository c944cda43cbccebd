// Package server contains what depends only on the PostgreSQL server and not on the
// tables of the store: connecting, errors, the server's clock, and notifications.
package server
