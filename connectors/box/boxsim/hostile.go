package boxsim

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// hostility is how a listing is made worse than a reader hopes for.
type hostility struct {
	now    time.Time
	pages  int    // that came before this one, by marker
	shift  int    // entries that came (1) or went (-1) before the page, since the listing began
	short  bool   // the page holds half of what it could
	repeat bool   // its last entry comes again
	total  string // see the switch total_count
}

// listingKey names a listing: an operation on a subject.
type listingKey struct{ op, subject string }

// listingState is what happened to a listing since the switches were set.
type listingState struct {
	expired bool // a marker was refused
	shifted bool // its pages have shifted, or do so now
	shift   int
}

func (q *request) listingState() *listingState {
	key := listingKey{q.call.Op, q.call.Subject}
	st := q.listings[key]
	if st == nil {
		st = &listingState{}
		q.listings[key] = st
	}
	return st
}

// worsen sets up the page by the switches. A listing shifts once: whoever begins
// it again reads it in peace.
func (q *request) worsen(p *page) {
	p.hostility = hostility{
		now: q.now, pages: p.pages, short: q.switches.ShortPages,
		repeat: q.switches.RepeatedEntries, total: q.switches.TotalCount,
	}
	by := map[string]int{"added": 1, "removed": -1}[q.switches.ShiftingPages]
	if p.marker || by == 0 {
		return
	}
	st := q.listingState()
	if p.offset > 0 {
		p.shift = st.shift
		return
	}
	if st.shift = 0; !st.shifted {
		st.shifted, st.shift = true, by
	}
}

// markerExpired tells whether Box still takes a marker.
func (q *request) markerExpired(pages int, issued time.Time) bool {
	sw := q.switches
	old := sw.MarkerLifeSeconds > 0 && q.now.Sub(issued) >= seconds(sw.MarkerLifeSeconds)
	far := sw.MarkerPages > 0 && pages >= sw.MarkerPages
	if !old && !far {
		return false
	}
	st := q.listingState()
	if sw.MarkerExpiry == "once" && st.expired {
		return false
	}
	st.expired = true
	return true
}

// offsetPage cuts a listing by offset. Of one with short pages every second
// place is somebody whom the reader may not see, as long as offsets reach.
func offsetPage[T any](p page, all []T) (entries []T, total int) {
	total, from, to := len(all), p.offset, p.offset+p.limit
	if p.short && 2*total <= maxOffset {
		total, from, to = 2*total, (from+1)/2, (to+1)/2
	}
	from, to, total = from-p.shift, to-p.shift, total+p.shift
	switch p.total {
	case "low":
		total /= 2
	case "high":
		total += 250
	}
	last := len(all)
	return all[min(max(from, 0), last):min(max(to, 0), last)], max(total, 0)
}

// markerPage cuts a listing by marker and tells the marker of the next page.
func markerPage[T any](p page, all []T, id func(T) string) (entries []T, next string) {
	all = behind(all, p.after, id)
	size := p.limit
	if p.short {
		size = (size + 1) / 2
	}
	if len(all) <= size {
		return all, ""
	}
	last := size - 1
	if p.repeat && last > 0 {
		last--
	}
	return all[:size], encodeMarker(id(all[last]), p.pages+1, p.now)
}

const markerPrefix = "after"

// encodeMarker makes a marker that knows its place, its page and its age.
func encodeMarker(id string, pages int, now time.Time) string {
	text := strings.Join([]string{markerPrefix, id, strconv.Itoa(pages), strconv.FormatInt(now.UnixMilli(), 10)}, ":")
	return base64.RawURLEncoding.EncodeToString([]byte(text))
}

// readMarker sets the page behind the marker.
func (q *request) readMarker(p *page, marker string) *apiError {
	if marker == "" {
		return nil
	}
	bad := badRequest("marker", "Invalid value '"+marker+"'. The marker is not valid")
	raw, err := base64.RawURLEncoding.DecodeString(marker)
	parts := strings.Split(string(raw), ":")
	if err != nil || len(parts) != 4 || parts[0] != markerPrefix {
		return bad
	}
	pages, err := strconv.Atoi(parts[2])
	issued, bad2 := strconv.ParseInt(parts[3], 10, 64)
	if err != nil || bad2 != nil || q.markerExpired(pages, time.UnixMilli(issued)) {
		return bad
	}
	p.after, p.pages = parts[1], pages
	return nil
}
