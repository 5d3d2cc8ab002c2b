package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"sendoff/schema"
)

// SQLSTATEs we act on (https://www.postgresql.org/docs/15/errcodes-appendix.html).
const (
	codeInvalidText           = "22P02"
	codeUniqueViolation       = "23505"
	codeSerializationFailure  = "40001"
	codeDeadlockDetected      = "40P01"
	codeInsufficientPrivilege = "42501"
	codeUndefinedObject       = "42704"
	codeDuplicateObject       = "42710"
	codeUndefinedTable        = "42P01"
	codeUndefinedColumn       = "42703"
	codeTooManyConnections    = "53300"
	codeUnknownDatabase       = "3D000"
	codeInternalError         = "XX000"
)

// errNotAnID is the error for an id that is no UUID. It is found before
// anything reaches Postgres.
var errNotAnID = errors.New("not an id: ids are UUIDs, such as 0197c0de-0000-7000-8000-000000000000")

// translate is the one place where an error of Postgres becomes a schema.Error,
// by SQLSTATE and constraint. Postgres's own texts are dropped: they may quote
// values, and values are people. Errors that are not Postgres's keep their
// chain and get the operation in front.
func translate(op string, err error) error {
	if err == nil {
		return nil
	}
	var known *schema.Error
	if errors.As(err, &known) {
		return err
	}
	var pgErr *pgconn.PgError
	switch {
	case errors.As(err, &pgErr):
		return translateCode(op, pgErr)
	case errors.Is(err, errNotAnID):
		return &schema.Error{Code: schema.CodeInvalid, Message: op + ": " + errNotAnID.Error()}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: %w", op, contextError(err))
	case errors.Is(err, pgx.ErrNoRows), errors.Is(err, pgx.ErrTooManyRows):
		return &schema.Error{Code: schema.CodeInternal, Message: op + ": " + err.Error()}
	case isConnectionError(err):
		return unavailable(op)
	}
	return fmt.Errorf("%s: %w", op, err)
}

func translateCode(op string, e *pgconn.PgError) error {
	switch e.ConstraintName {
	case "api_token_live_name":
		return &schema.Error{Code: schema.CodeConflict, Message: "a valid token of that name exists", Fix: "choose another name, or revoke that token first"}
	case "connection_live_name":
		return &schema.Error{Code: schema.CodeConflict, Message: "a connection of that name exists", Fix: "choose another name, or remove that connection first"}
	case "plan_open_account":
		return &schema.Error{Code: schema.CodeConflict, Message: "another case began to work on one of the accounts just now", Fix: "plan again to see which"}
	}
	switch {
	case e.Code == codeInvalidText:
		return &schema.Error{Code: schema.CodeInvalid, Message: op + ": " + errNotAnID.Error()}
	case strings.HasPrefix(e.Code, "22"):
		return &schema.Error{
			Code: schema.CodeInvalid, Message: op + ": a value cannot be stored (SQLSTATE " + e.Code + ")",
			Fix: "leave out control characters and keep numbers and dates in a sensible range",
		}
	case e.Code == codeUndefinedTable, e.Code == codeUndefinedColumn:
		return &schema.Error{Code: schema.CodeUnavailable, Message: "the database has not been set up for this program", Fix: "run sendoff migrate"}
	case e.Code == codeSerializationFailure, e.Code == codeDeadlockDetected:
		return &schema.Error{Code: schema.CodeUnavailable, Message: op + ": other transactions were in the way each time", Fix: "try again"}
	case strings.HasPrefix(e.Code, "28"), e.Code == codeUnknownDatabase:
		return &schema.Error{
			Code: schema.CodeUnavailable, Message: op + ": Postgres refuses the login (SQLSTATE " + e.Code + ")",
			Fix: "check user, password and database name in the database URL",
		}
	case e.Code == codeTooManyConnections, strings.HasPrefix(e.Code, "08"), strings.HasPrefix(e.Code, "57P"):
		return unavailable(op)
	}
	return &schema.Error{
		Code:    schema.CodeInternal,
		Message: fmt.Sprintf("%s: Postgres refused it with SQLSTATE %s (constraint %q, table %q)", op, e.Code, e.ConstraintName, e.TableName),
	}
}

func unavailable(op string) error {
	return &schema.Error{
		Code: schema.CodeUnavailable, Message: op + ": Postgres does not answer",
		Fix: "check that it runs and that the database URL is right",
	}
}

func contextError(err error) error {
	if errors.Is(err, context.Canceled) {
		return context.Canceled
	}
	return context.DeadlineExceeded
}

// isConnectionError is true for what is left when the server's own errors are
// out: failures to connect and connections that broke.
func isConnectionError(err error) bool {
	var connect *pgconn.ConnectError
	var temporary interface{ Timeout() bool } // net.Error and its kin
	return errors.As(err, &connect) || errors.As(err, &temporary) ||
		errors.Is(err, io.ErrUnexpectedEOF) || pgconn.SafeToRetry(err)
}

func sqlState(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func conflict(message, fix string) error {
	return &schema.Error{Code: schema.CodeConflict, Message: message, Fix: fix}
}

func notFound(what, id string) error {
	e := &schema.Error{Code: schema.CodeNotFound, Message: fmt.Sprintf("there is no %s %s", what, id)}
	switch what {
	case "case":
		e.Fix = "sendoff cases list shows all cases"
	case "connection":
		e.Fix = "sendoff connections list shows all connections"
	case "valid token":
		e.Fix = "sendoff tokens list shows all tokens"
	}
	return e
}
