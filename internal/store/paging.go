package store

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"sendoff/schema"
)

// maxPage is the longest page of a list.
const maxPage = 500

func checkLimit(limit, most int) error {
	if limit < 1 || limit > most {
		return &schema.Error{
			Code: schema.CodeInvalid, Message: fmt.Sprintf("a page of %d entries is not possible", limit),
			Fix: fmt.Sprintf("ask for 1 to %d", most),
		}
	}
	return nil
}

// cursor is the place in a list after its last entry shown. The zero cursor is
// the beginning.
type cursor struct {
	At time.Time
	ID string
}

func (c cursor) String() string {
	return base64.RawURLEncoding.EncodeToString([]byte(c.At.UTC().Format(time.RFC3339Nano) + " " + c.ID))
}

func parseCursor(s string) (cursor, error) {
	if s == "" {
		return cursor{}, nil
	}
	invalid := &schema.Error{
		Code: schema.CodeInvalid, Message: "the list cannot be continued there: the cursor is none of ours",
		Fix: "pass the cursor of the page before, unchanged",
	}
	text, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return cursor{}, invalid
	}
	at, id, _ := strings.Cut(string(text), " ")
	instant, err := time.Parse(time.RFC3339Nano, at)
	if err != nil || uuid.Validate(id) != nil {
		return cursor{}, invalid
	}
	return cursor{At: instant, ID: id}, nil
}

// page cuts a list that was read one entry too far and returns the cursor of
// its continuation, "" at the end.
func page[T any](entries []T, limit int, at func(T) cursor) ([]T, string) {
	if len(entries) <= limit {
		return entries, ""
	}
	entries = entries[:limit]
	return entries, at(entries[limit-1]).String()
}
