package conformance_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"sendoff/connectors/conformance"
)

// desk is the simulator of Desk, a vendor that exists here alone. Like a real
// one it has types of its own and knows nothing of the connector.
type desk struct {
	mux *http.ServeMux

	mu     sync.Mutex
	made   int
	people map[string]*deskPerson
	places map[string]*deskPlace
	items  map[string]*deskItem
	holds  map[string]string // hold to person
	groups map[string]bool
	hidden bool
	modes  map[string]conformance.Mode

	events   []deskEvent
	order    []int // the live stream: indices of events
	unlogged bool
}

type deskPerson struct {
	ID        string `json:"id"`
	Login     string `json:"login"`
	Name      string `json:"name"`
	Role      string `json:"role"`
	State     string `json:"state"`
	Company   string `json:"company"`
	Robot     bool   `json:"robot"`
	SpaceUsed int64  `json:"space_used"`
	Tags      tags   `json:"tags,omitempty"`
	signOuts  int
}

type tags map[string]string

// deskPlace is a person's place in a group.
type deskPlace struct {
	ID     string          `json:"id"`
	Person string          `json:"person"`
	Group  string          `json:"group"`
	Role   string          `json:"role"`
	Rights map[string]bool `json:"rights,omitempty"`
}

type deskItem struct {
	ID      string `json:"id"`
	Kind    string `json:"kind"`
	Owner   string `json:"owner"`
	Folder  string `json:"folder"`
	Size    int64  `json:"size"`
	Trashed bool   `json:"trashed"`
	shares  map[string]string
	givers  map[string]string // who gave the shares
}

const (
	deskCompany = "c-1"
	deskKey     = "desk-demo-key-x"
	deskToken   = "desk-token-0123456789"
)

func newDesk() *desk {
	d := &desk{
		people: map[string]*deskPerson{}, places: map[string]*deskPlace{}, items: map[string]*deskItem{}, holds: map[string]string{},
		groups: map[string]bool{}, modes: map[string]conformance.Mode{}, mux: http.NewServeMux(),
	}
	d.people["p-1"] = &deskPerson{ID: "p-1", Login: "admin@example.com", Name: "Admin", Role: "owner", State: "open", Company: deskCompany}
	d.made = 1
	d.mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("client_id") != "desk-app" || r.FormValue("client_secret") != deskKey {
			answer(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
			return
		}
		answer(w, http.StatusOK, map[string]any{"access_token": deskToken, "expires_in": 3600, "token_type": "bearer"})
	})
	for pattern, h := range map[string]func(*http.Request) (int, any){
		"GET /v1/me":                      func(*http.Request) (int, any) { return 200, d.people["p-1"] },
		"GET /v1/people":                  d.list,
		"GET /v1/people/{id}":             d.person(func(_ *http.Request, p *deskPerson) (int, any) { return 200, d.sized(p) }),
		"PATCH /v1/people/{id}":           d.person(d.change),
		"DELETE /v1/people/{id}":          d.person(d.remove),
		"POST /v1/people/{id}/sign-out":   d.person(func(_ *http.Request, p *deskPerson) (int, any) { p.signOuts++; return 202, nil }),
		"POST /v1/people/{id}/hand-over":  d.person(d.handOver),
		"GET /v1/people/{id}/memberships": d.person(d.memberships),
		"GET /v1/people/{id}/holds":       d.person(d.listHolds),
		"DELETE /v1/memberships/{id}":     d.leave,
		"POST /v1/memberships":            d.join,
		"GET /v1/items":                   d.listItems,
		"GET /v1/items/{id}":              d.item(func(_ *http.Request, i *deskItem) (int, any) { return 200, i }),
		"GET /v1/items/{id}/shares":       d.item(d.listShares),
		"POST /v1/items/{id}/shares":      d.item(d.share),
		"GET /v1/groups":                  d.listGroups,
		"GET /v1/groups/{id}/members":     d.listMembers,
		"GET /v1/groups/{id}/access":      d.listAccess,
		"GET /v1/events":                  d.pastEvents,
		"GET /v1/events/live":             d.liveEvents,
	} {
		d.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer "+deskToken {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			d.mu.Lock() // until the answer is written, for it is made of what others change
			defer d.mu.Unlock()
			status, body := h(r)
			answer(w, status, body)
		})
	}
	return d
}

func answer(w http.ResponseWriter, status int, body any) {
	switch page, ok := body.(string); {
	case status == 0:
		panic(http.ErrAbortHandler)
	case ok:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, page)
	case body == nil:
		w.WriteHeader(status)
	default:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	}
}

// refuse is Desk's error envelope.
func refuse(status int, code string) (int, any) {
	return status, map[string]any{"error": map[string]string{"code": code, "text": "no"}}
}

func (d *desk) id(kind string) string {
	d.made++
	return fmt.Sprintf("%s-%d", kind, d.made)
}

func (d *desk) person(h func(*http.Request, *deskPerson) (int, any)) func(*http.Request) (int, any) {
	return func(r *http.Request) (int, any) {
		p := d.people[r.PathValue("id")]
		if p == nil {
			return refuse(404, "no_such_person")
		}
		return h(r, p)
	}
}

// sized fills in the space in use.
func (d *desk) sized(p *deskPerson) *deskPerson {
	p.SpaceUsed = 0
	for _, i := range d.items {
		if i.Owner == p.ID {
			p.SpaceUsed += i.Size
		}
	}
	return p
}

// listed serves a page of what is in all.
func listed[V any](r *http.Request, name string, all map[string]V, keep func(V) bool) (int, any) {
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || limit < 1 {
		return refuse(400, "bad_limit")
	}
	var ids []string
	for id, v := range all {
		if keep(v) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	count := len(ids)
	if after := r.URL.Query().Get("after"); after != "" {
		at := slices.Index(ids, after)
		if at < 0 {
			return refuse(410, "stale_marker")
		}
		ids = ids[at+1:]
	}
	next := ""
	if len(ids) > limit {
		ids = ids[:limit]
		next = ids[limit-1]
	}
	page := make([]V, len(ids))
	for n, id := range ids {
		page[n] = all[id]
	}
	return 200, map[string]any{name: page, "next": next, "count": count}
}

// list finds people by the beginning of login or name, as vendors like to do.
func (d *desk) list(r *http.Request) (int, any) {
	term := strings.ToLower(r.URL.Query().Get("q"))
	return listed(r, "people", d.people, func(p *deskPerson) bool {
		d.sized(p)
		return strings.HasPrefix(strings.ToLower(p.Login), term) || strings.HasPrefix(strings.ToLower(p.Name), term)
	})
}

func (d *desk) change(r *http.Request, p *deskPerson) (int, any) {
	var body struct {
		State string `json:"state"`
	}
	if json.NewDecoder(r.Body).Decode(&body) != nil || body.State == "" {
		return refuse(400, "bad_state")
	}
	p.State = body.State
	return 200, d.sized(p)
}

// remove refuses who owns something, unless it is forced.
func (d *desk) remove(r *http.Request, p *deskPerson) (int, any) {
	for _, i := range d.items {
		if i.Owner == p.ID && r.URL.Query().Get("force") != "true" {
			return refuse(409, "owns_items")
		}
	}
	delete(d.people, p.ID)
	return 204, nil
}

func (d *desk) memberships(r *http.Request, p *deskPerson) (int, any) {
	return listed(r, "memberships", d.places, func(m *deskPlace) bool { return m.Person == p.ID })
}

func (d *desk) leave(r *http.Request) (int, any) {
	if d.places[r.PathValue("id")] == nil {
		return refuse(404, "no_such_membership")
	}
	delete(d.places, r.PathValue("id"))
	return 204, nil
}

func (d *desk) join(r *http.Request) (int, any) {
	m := &deskPlace{}
	if json.NewDecoder(r.Body).Decode(m) != nil {
		return refuse(400, "bad_membership")
	}
	if d.people[m.Person] == nil || !d.groups[m.Group] {
		return refuse(404, "no_such_group")
	}
	for _, have := range d.places {
		if have.Person == m.Person && have.Group == m.Group {
			return refuse(409, "member_already")
		}
	}
	m.ID = d.id("m")
	d.places[m.ID] = m
	return 201, m
}

func (d *desk) listHolds(_ *http.Request, p *deskPerson) (int, any) {
	if d.hidden {
		return refuse(403, "no_scope")
	}
	ids := []string{}
	for hold, person := range d.holds {
		if person == p.ID {
			ids = append(ids, hold)
		}
	}
	return 200, map[string]any{"holds": ids}
}
