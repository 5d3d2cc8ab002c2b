package hooks

import (
	"fmt"
	"hash"
	"slices"
	"strings"
)

// The placeholders of what is signed.
const (
	placeBody = "{body}"
	placeTime = "{timestamp}"
	placeID   = "{id}"
)

// content is what is signed: plain text and placeholders, in order.
type content []string

// parseContent reads a template such as v0:{timestamp}:{body}. A brace opens a
// placeholder, always.
func parseContent(template string) (content, []string) {
	var (
		out    content
		faults []string
	)
	for rest := template; rest != ""; {
		plain, after, found := strings.Cut(rest, "{")
		if plain != "" {
			out = append(out, plain)
		}
		if !found {
			break
		}
		name, tail, closed := strings.Cut(after, "}")
		place := "{" + name + "}"
		switch {
		case !closed:
			return nil, append(faults, "a { is not closed")
		case !slices.Contains([]string{placeBody, placeTime, placeID}, place):
			faults = append(faults, fmt.Sprintf("there is no placeholder %.40q", place))
		default:
			out = append(out, place)
		}
		rest = tail
	}
	if !out.has(placeBody) {
		faults = append(faults, "the body is not part of what is signed")
	}
	return out, faults
}

func (c content) has(place string) bool { return slices.Contains(c, place) }

func (c content) write(to hash.Hash, m message) {
	for _, part := range c {
		switch part {
		case placeBody:
			to.Write(m.body)
		case placeTime:
			to.Write([]byte(m.time))
		case placeID:
			to.Write([]byte(m.id))
		default:
			to.Write([]byte(part))
		}
	}
}
