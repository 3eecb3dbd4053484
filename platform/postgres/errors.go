package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"

	"github.com/knobot/knobot/platform/fault"
)

// Fault gives an error of an unavailable database its kind, so that callers
// try again, and leaves every other error as it is.
func Fault(err error) error {
	if !IsUnavailable(err) {
		return err
	}
	return fault.New(fault.Unavailable, "DATABASE_UNAVAILABLE", "the database is unavailable, try again").WithCause(err)
}

// IsUnavailable reports whether the same statement may succeed later: the
// database cannot be reached, is starting or stopping, has no room, or broke
// off a transaction to let another one pass.
func IsUnavailable(err error) bool {
	var pg *pgconn.PgError
	var connect *pgconn.ConnectError
	var network net.Error
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return false
	case errors.As(err, &pg):
		return transient(pg.Code)
	case errors.As(err, &connect), errors.As(err, &network):
		return true
	default:
		return pgconn.SafeToRetry(err) || errors.Is(err, puddle.ErrClosedPool) ||
			errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
	}
}

// IsRefused reports whether PostgreSQL refused a statement for the content of
// its arguments: it would refuse it for ever. SQLSTATE classes 22 (data), 23
// (constraint) and 54 (limit exceeded).
func IsRefused(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	return strings.HasPrefix(pg.Code, "22") || strings.HasPrefix(pg.Code, "23") || strings.HasPrefix(pg.Code, "54")
}

// transient knows the codes of
// https://www.postgresql.org/docs/15/errcodes-appendix.html (read 2026-11-23).
func transient(code string) bool {
	switch code {
	case "40001", "40P01", // serialization failure, deadlock
		"25006",                   // read-only: a primary that was demoted
		"55P03",                   // lock not available
		"57014",                   // statement timeout
		"57P01", "57P02", "57P03", // shutting down, crashed, starting
		"58030": // I/O error
		return true
	}
	return strings.HasPrefix(code, "08") || strings.HasPrefix(code, "53") // connection, resources
}
