package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"

	"example.org/bridge/internal/bridge"
)

// Error codes of PostgreSQL
// (https://www.postgresql.org/docs/current/errcodes-appendix.html).
const (
	codeSerialization = "40001"
	codeDeadlock      = "40P01"
	codeLockTimeout   = "55P03"
	codeReadOnly      = "25006"
	codeDiskFull      = "53100"
	codeNoMemory      = "53200"
	codeTooMany       = "53300"
	codePermission    = "42501"
	codeNoTable       = "42P01"
	codeNoSchema      = "3F000"
	codeNoDatabase    = "3D000"
	codeBadPassword   = "28P01"
	codeNoRole        = "28000"
)

// Translate maps an error of the server to the domain's error for it. The result
// contains neither a password nor a value: the message of a PgError names tables and
// constraints only, and its detail, which contains values, is left out.
func Translate(err error) error {
	if err == nil || errors.Is(err, bridge.ErrOutcomeUnknown) || errors.Is(err, context.Canceled) {
		return err
	}
	var known *pgconn.PgError
	if errors.As(err, &known) {
		if name := nameOf(known.Code); name != nil {
			return fmt.Errorf("%w: %s", name, known.Message)
		}
		return fmt.Errorf("store: PostgreSQL answered %s: %s", known.Code, known.Message)
	}
	if isConnection(err) {
		return fmt.Errorf("%w: %s", bridge.ErrStoreUnreachable, plainReason(err))
	}
	return err
}

func nameOf(code string) error {
	switch code {
	case codeSerialization, codeDeadlock, codeLockTimeout, codeTooMany:
		return bridge.ErrStoreBusy
	case codeReadOnly:
		return bridge.ErrStoreReadOnly
	case codeDiskFull:
		return bridge.ErrStoreFull
	case codeNoMemory:
		return bridge.ErrNoMemory
	case codePermission, codeBadPassword, codeNoRole:
		return bridge.ErrStoreRefused
	case codeNoTable, codeNoSchema, codeNoDatabase:
		return bridge.ErrStoreMissing
	}
	switch code[:2] {
	case "57": // the server is stopping or starting
		return bridge.ErrStoreUnreachable
	case "58":
		return bridge.ErrStoreIO
	case "XX":
		return bridge.ErrStoreDamaged
	}
	return nil
}

// isConnection reports whether err comes from the connection and not from a statement.
func isConnection(err error) bool {
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || isLost(err) || errors.Is(err, context.DeadlineExceeded)
}

// isLost reports whether an established connection was lost.
func isLost(err error) bool {
	for _, sign := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.EPIPE, syscall.ECONNRESET} {
		if errors.Is(err, sign) {
			return true
		}
	}
	return strings.Contains(err.Error(), "conn closed") // pgx has no exported error for it
}

// plainReason returns the end of a connection error: what the system or the server
// said, without the address and settings that pgx puts before it.
func plainReason(err error) string {
	var known *pgconn.PgError
	var network *net.OpError
	switch {
	case errors.As(err, &known):
		return known.Message
	case errors.As(err, &network) && network.Err != nil:
		return network.Err.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer within the time limit"
	}
	return "the connection was closed"
}

// IsRepeatable reports whether an operation had no effect and may succeed if repeated:
// there was a deadlock or a serialization failure, or the other side had closed an idle
// connection.
func IsRepeatable(err error) bool {
	if err == nil || errors.Is(err, bridge.ErrOutcomeUnknown) {
		return false
	}
	var known *pgconn.PgError
	if errors.As(err, &known) {
		return known.Code == codeSerialization || known.Code == codeDeadlock
	}
	return isLost(err)
}

// IsUncertain reports whether a COMMIT that returned err may have taken effect: the
// connection was lost, or the server stopped, while it was in progress.
func IsUncertain(err error) bool {
	var known *pgconn.PgError
	if !errors.As(err, &known) {
		return true
	}
	switch known.Code[:2] {
	case "57", "58", "XX", "08":
		return true
	}
	return false
}
