package boxsim

import (
	"encoding/base64"
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
		p.after, err = decodeMarker(q.param("marker"))
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

const markerPrefix = "after:"

func encodeMarker(id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(markerPrefix + id))
}

func decodeMarker(marker string) (string, *apiError) {
	if marker == "" {
		return "", nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(marker)
	id, found := strings.CutPrefix(string(raw), markerPrefix)
	if err != nil || !found {
		return "", badRequest("marker", "Invalid value '"+marker+"'. The marker is not valid")
	}
	return id, nil
}

// listing cuts all into the page and renders the page's envelope. By marker
// the entries are in id order, so that a marker survives what comes and goes.
func listing[T any](p page, all []T, id func(T) string, view func(T) any, order []any) map[string]any {
	out := map[string]any{"limit": p.limit}
	if p.marker {
		slices.SortStableFunc(all, func(a, b T) int { return compareIDs(id(a), id(b)) })
		start := 0
		for p.after != "" && start < len(all) && compareIDs(id(all[start]), p.after) <= 0 {
			start++
		}
		all = all[start:]
		out["next_marker"] = ""
		if len(all) > p.limit {
			all = all[:p.limit]
			out["next_marker"] = encodeMarker(id(all[p.limit-1]))
		}
	} else {
		out["total_count"], out["offset"] = len(all), p.offset
		all = all[min(p.offset, len(all)):]
		all = all[:min(p.limit, len(all))]
		if order != nil {
			out["order"] = order
		}
	}
	entries := make([]any, len(all))
	for i, x := range all {
		entries[i] = view(x)
	}
	out["entries"] = entries
	return out
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
