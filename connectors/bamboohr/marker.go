package bamboohr

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"sendoff/connectors"
)

// overlap is how far before the last change the next poll begins: the API's times
// are of whole seconds, and changes made at the same time need not become visible
// in their order. What comes twice for it has the same event id.
const overlap = time.Minute

// marker is where a poll goes on: behind the last change that was read.
type marker struct {
	at time.Time // zero = nothing was read
	// seen is a digest of the changes within the overlap, once they are old enough
	// to be all there. While it is the same they are not read again.
	seen string
}

// String is the marker as the store keeps it.
func (m marker) String() string {
	if m.at.IsZero() {
		return ""
	}
	s := m.at.UTC().Format(time.RFC3339)
	if m.seen != "" {
		s += "/" + m.seen
	}
	return s
}

func parseMarker(s string) (marker, error) {
	if s == "" {
		return marker{}, nil
	}
	at, seen, _ := strings.Cut(s, "/")
	t, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return marker{}, &connectors.Error{Kind: connectors.Invalid, Op: opChanged, Detail: "where the poll goes on is not legible; nothing was sent"}
	}
	return marker{t.UTC(), seen}, nil
}

// from is the instant that changes are asked since; zero = ever.
func (m marker) from() time.Time {
	if m.at.IsZero() {
		return time.Time{}
	}
	return m.at.Add(-overlap)
}

// within tells whether a change lies in the marker's overlap.
func (m marker) within(c change) bool {
	return c.at.After(m.at.Add(-overlap)) && !c.at.After(m.at)
}

// digest stands for the changes in the marker's overlap.
func (m marker) digest(all []change) string {
	var lines []string
	for _, c := range all {
		if m.within(c) {
			lines = append(lines, fmt.Sprintf("%s %d %t\n", c.id, c.at.Unix(), c.deleted))
		}
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "")))
	return hex.EncodeToString(sum[:8])
}

// unread leaves out what was read before.
func (m marker) unread(all []change) []change {
	if m.seen == "" || m.digest(all) != m.seen {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), m.within)
}

// next is the marker behind all changes: never before m, and not behind what the
// vendor's clock showed when it was asked, as whatever it says of later is not
// known to be whole.
func (m marker) next(latest time.Time, all []change, asked time.Time) marker {
	to := marker{at: latest}
	for _, c := range all {
		if c.at.After(to.at) {
			to.at = c.at
		}
	}
	if to.at.After(asked) {
		to.at = asked.UTC().Truncate(time.Second)
	}
	if !to.at.After(m.at) {
		to.at = m.at
	}
	if !to.at.IsZero() && asked.Sub(to.at) > overlap {
		to.seen = to.digest(all)
	}
	return to
}
