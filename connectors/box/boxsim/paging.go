package boxsim

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

const (
	maxLimit     = 1000
	defaultLimit = 100
	maxOffset    = 9999
)

// page is one page of a listing and how it was asked for.
type page struct {
	limit, offset int
	marker        bool
	after         string // the id the marker stands behind
	hostility
}

// paging reads limit, offset, usemarker and marker. alwaysMarker is for
// endpoints that page by marker without being asked to.
func (q *request) paging(alwaysMarker bool) (page, *apiError) {
	p := page{limit: defaultLimit, marker: alwaysMarker || q.param("usemarker") == "true"}
	var err *apiError
	if p.limit, err = q.number("limit", "invalid_limit", defaultLimit); err != nil {
		return p, err
	}
	p.limit = min(p.limit, maxLimit)
	if p.limit == 0 {
		p.limit = defaultLimit
	}
	if p.marker {
		err = q.readMarker(&p, q.param("marker"))
		q.worsen(&p)
		return p, err
	}
	if p.offset, err = q.number("offset", "invalid_offset", 0); err != nil {
		return p, err
	}
	if p.offset > maxOffset {
		e := badRequest("offset", "Invalid value '"+strconv.Itoa(p.offset)+"'. The offset must not exceed 9999; use marker paging")
		if q.switches.OffsetCode != "" {
			e.Code = q.switches.OffsetCode
		}
		return p, e
	}
	q.worsen(&p)
	return p, nil
}

func (q *request) number(name, code string, fallback int) (int, *apiError) {
	raw := q.param(name)
	if raw == "" {
		return fallback, nil
	}
	n, err := strconv.Atoi(raw)
	if err != nil || n < 0 {
		return 0, fail(http.StatusBadRequest, code, "Invalid value '"+raw+"' of "+name)
	}
	return n, nil
}

// viewed makes a listing's writer of a view that is a tree.
func viewed[T any](view func(T) any) func([]byte, T) []byte {
	return func(b []byte, x T) []byte { return appendJSON(b, view(x)) }
}

// listing cuts all into the page and renders the page's envelope.
func listing[T any](p page, all []T, id func(T) string, view func(T) any, order []any) json.RawMessage {
	return writePage(p, all, id, viewed(view), order)
}

// writePage is listing for a view that writes by itself. By marker the entries
// are in id order, so that a marker survives what comes and goes.
func writePage[T any](p page, all []T, id func(T) string, view func([]byte, T) []byte, order []any) json.RawMessage {
	b := append([]byte(`{"limit":`), strconv.Itoa(p.limit)...)
	if p.marker {
		var next string
		all, next = markerPage(p, all, id)
		b = append(b, `,"next_marker":"`+next+`"`...)
	} else {
		var total int
		all, total = offsetPage(p, all)
		b = append(b, `,"offset":`+strconv.Itoa(p.offset)+`,"total_count":`+strconv.Itoa(total)...)
		if order != nil {
			b = appendJSON(append(b, `,"order":`...), order)
		}
	}
	b = append(b, `,"entries":[`...)
	for i, x := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = view(b, x)
	}
	return append(b, `]}`...)
}

// behind is what lies behind an id, in the order of ids.
func behind[T any](all []T, after string, id func(T) string) []T {
	byID := func(a, b T) int { return compareIDs(id(a), id(b)) }
	if !slices.IsSortedFunc(all, byID) {
		all = slices.Clone(all)
		slices.SortStableFunc(all, byID)
	}
	if after == "" {
		return all
	}
	i, found := slices.BinarySearchFunc(all, after, func(x T, id2 string) int { return compareIDs(id(x), id2) })
	if found {
		i++
	}
	return all[i:]
}

// fields reads the comma separated fields parameter; nil means the standard set.
func (q *request) fields() []string {
	raw := q.param("fields")
	if raw == "" {
		return nil
	}
	out := strings.Split(raw, ",")
	for i := range out {
		out[i] = strings.TrimSpace(out[i])
	}
	return out
}

// pick keeps of a full object the base fields and either what was asked for or
// the standard set. Unknown names are ignored.
func pick(full map[string]any, base, standard, asked []string) map[string]any {
	want := asked
	if asked == nil {
		want = standard
	}
	out := map[string]any{}
	for _, name := range slices.Concat(base, want) {
		if v, found := full[name]; found {
			out[name] = v
		}
	}
	return out
}
