package boxsim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Listings of a big company are written straight into their bytes: a tree of
// maps for every entry would cost more than all else a page does.

// field is one property of a resource and how it is written.
type field[T any] struct {
	name     string
	standard bool                   // shown without being asked for
	write    func([]byte, T) []byte // writes nothing where the property is left out
}

// fields are the properties a resource has, type and id first.
type fields[T any] []field[T]

// choose keeps type and id and either what was asked for or the standard set.
// Unknown names are ignored.
func (f fields[T]) choose(asked []string) fields[T] {
	var out fields[T]
	for i, x := range f {
		if i < len(userBase()) || asked == nil && x.standard || slices.Contains(asked, x.name) {
			out = append(out, x)
		}
	}
	return out
}

func (f fields[T]) append(b []byte, x T) []byte {
	b = append(b, '{')
	for i, one := range f {
		start := len(b)
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, one.name...)
		b = append(b, '"', ':')
		value := len(b)
		if b = one.write(b, x); len(b) == value {
			b = b[:start] // the resource has none
		}
	}
	return append(b, '}')
}

// appendText writes a JSON string.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == '"' || s[i] == '\\' || s[i] >= 0x7f {
			return appendJSON(b, s)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// appendJSON writes any value; the simulator has none that cannot be written.
func appendJSON(b []byte, v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("boxsim: cannot encode %T: %v", v, err))
	}
	return append(b, raw...)
}

// pacific is the zone in which Box writes its times.
func pacific() *time.Location { return time.FixedZone("", -8*3600) }

func appendStamp(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, "null"...)
	}
	b = append(b, '"')
	b = t.In(pacific()).AppendFormat(b, time.RFC3339)
	return append(b, '"')
}

// anonymousID is the user whom Box names where nobody was signed in.
const anonymousID = "2"

// appendMini writes the mini form of a user, or null.
func (w *world) appendMini(b []byte, id string) []byte {
	name, login := "Unknown User", ""
	if u := w.users[id]; u != nil {
		name, login = u.name, u.login
	} else if id != anonymousID {
		return append(b, "null"...)
	}
	b = append(b, `{"type":"user","id":"`...)
	b = append(b, id...)
	b = append(b, `","name":`...)
	b = appendText(b, name)
	b = append(b, `,"login":`...)
	b = appendText(b, login)
	return append(b, '}')
}

func appendFlag(b []byte, v bool) []byte { return strconv.AppendBool(b, v) }

func literal[T any](raw string) func([]byte, T) []byte {
	return func(b []byte, _ T) []byte { return append(b, raw...) }
}
