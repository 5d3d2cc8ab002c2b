// Package scimtest holds what tests of SCIM share: a store in memory, and the
// contract that every store keeps.
package scimtest

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"sendoff/internal/scim"
	"sendoff/schema"
)

// Memory is a scim.Store in memory.
type Memory struct {
	mu      sync.Mutex
	clock   time.Time
	sources map[[32]byte]schema.Source
	kept    []schema.SCIMResource // in the order they were made
	told    []Told
}

var _ scim.Store = (*Memory)(nil)

// Told is what one write told.
type Told struct {
	Source schema.SourceID
	Change schema.HRChange
	Raw    []byte
}

// NewMemory makes an empty store.
func NewMemory() *Memory {
	return &Memory{
		clock:   time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC),
		sources: map[[32]byte]schema.Source{},
	}
}

// AddSource makes a source that the token belongs to.
func (m *Memory) AddSource(name, token string) schema.Source {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := schema.Source{ID: schema.SourceID(uuid.NewString()), Name: name, Kind: schema.SourceSCIM, State: schema.ConnectionEnabled, Version: 1}
	m.sources[sha256.Sum256([]byte(token))] = s
	return s
}

// AddToken lets another token belong to a source, as during a rotation.
func (m *Memory) AddToken(s schema.Source, token string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sources[sha256.Sum256([]byte(token))] = s
}

// Revoke ends a token.
func (m *Memory) Revoke(token string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.sources, sha256.Sum256([]byte(token)))
}

// Told lists what the source's writes told, in order.
func (m *Memory) Told(source schema.SourceID) []Told {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Told
	for _, t := range m.told {
		if t.Source == source {
			out = append(out, t)
		}
	}
	return out
}

// Kept lists what is kept of the source.
func (m *Memory) Kept(source schema.SourceID) []schema.SCIMResource {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []schema.SCIMResource
	for _, r := range m.kept {
		if r.SourceID == source {
			out = append(out, copied(r))
		}
	}
	return out
}

// AuthenticateSource finds the source of a token.
func (m *Memory) AuthenticateSource(_ context.Context, hash [32]byte) (schema.Source, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.sources[hash]
	if !ok {
		return schema.Source{}, &schema.Error{Code: schema.CodeUnauthorized, Message: "the token is unknown"}
	}
	return s, nil
}

var errNotFound = &schema.Error{Code: schema.CodeNotFound, Message: "there is no such resource"}

// ReadSCIM reads one resource.
func (m *Memory) ReadSCIM(_ context.Context, source schema.SourceID, t schema.SCIMType, id string) (schema.SCIMResource, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := m.index(source, t, id)
	if i < 0 {
		return schema.SCIMResource{}, errNotFound
	}
	return copied(m.kept[i]), nil
}

func (m *Memory) index(source schema.SourceID, t schema.SCIMType, id string) int {
	return slices.IndexFunc(m.kept, func(r schema.SCIMResource) bool {
		return r.SourceID == source && r.Type == t && r.ID == id
	})
}

// FindSCIM finds what the query selects.
func (m *Memory) FindSCIM(_ context.Context, source schema.SourceID, t schema.SCIMType, q schema.SCIMQuery) ([]schema.SCIMResource, int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var page []schema.SCIMResource
	total := 0
	for _, r := range m.kept {
		if r.SourceID != source || r.Type != t || !selects(q, r) {
			continue
		}
		if total++; total <= q.Offset || len(page) >= q.Limit {
			continue
		}
		r = copied(r)
		if q.WithoutMembers {
			r.Members = nil
		}
		page = append(page, r)
	}
	return page, total, nil
}

func selects(q schema.SCIMQuery, r schema.SCIMResource) bool {
	is := func(want, got string) bool { return want == "" || want == got }
	return is(strings.ToLower(q.Name), strings.ToLower(r.Name)) && is(q.ExternalID, r.ExternalID) && is(q.ID, r.ID) &&
		is(q.Email, r.Email) &&
		(q.Member == "" || slices.ContainsFunc(r.Members, func(m schema.SCIMMember) bool { return m.Value == q.Member }))
}

// WriteSCIM writes as scim.Write says.
func (m *Memory) WriteSCIM(_ context.Context, w scim.Write) (schema.SCIMResource, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if w.ID == "" {
		return m.create(w)
	}
	i := m.index(w.SourceID, w.Type, w.ID)
	if i < 0 {
		return schema.SCIMResource{}, errNotFound
	}
	before := m.kept[i]
	if w.IfVersion != 0 && w.IfVersion != before.Version {
		return schema.SCIMResource{}, &schema.Error{Code: schema.CodeStale, Message: "the resource has another version"}
	}
	if w.Delete {
		return m.remove(w, i), nil
	}
	after, err := w.Change(copied(before))
	if err != nil {
		return schema.SCIMResource{}, err
	}
	if reflect.DeepEqual(before, after) {
		return copied(before), nil
	}
	if err := m.check(w, after); err != nil {
		return schema.SCIMResource{}, err
	}
	after.Version, after.ModifiedAt = before.Version+1, m.now()
	after.Body = rewritten(after.Body)
	m.kept[i] = copied(after)
	m.tell(w, before, after)
	return after, nil
}

func (m *Memory) create(w scim.Write) (schema.SCIMResource, error) {
	after, err := w.Change(schema.SCIMResource{})
	if err != nil {
		return schema.SCIMResource{}, err
	}
	after.SourceID, after.Type, after.ID, after.Version = w.SourceID, w.Type, uuid.NewString(), 1
	if err := m.check(w, after); err != nil {
		return schema.SCIMResource{}, err
	}
	after.CreatedAt = m.now()
	after.ModifiedAt = after.CreatedAt
	after.Body = rewritten(after.Body)
	m.kept = append(m.kept, copied(after))
	m.tell(w, schema.SCIMResource{}, after)
	return after, nil
}

func (m *Memory) remove(w scim.Write, i int) schema.SCIMResource {
	before := m.kept[i]
	after := copied(before)
	after.Active = false
	m.kept = slices.Delete(m.kept, i, i+1)
	for g := range m.kept {
		m.kept[g].Members = slices.DeleteFunc(m.kept[g].Members, func(x schema.SCIMMember) bool { return x.Value == w.ID })
	}
	m.tell(w, before, after)
	return after
}

// check refuses a name that is taken and members that are no users of the source.
func (m *Memory) check(w scim.Write, after schema.SCIMResource) error {
	for _, r := range m.kept {
		if r.SourceID == w.SourceID && r.Type == w.Type && r.ID != after.ID && strings.EqualFold(r.Name, after.Name) {
			return &schema.Error{Code: schema.CodeConflict, Message: "the name is taken"}
		}
	}
	for _, x := range after.Members {
		if m.index(w.SourceID, schema.SCIMUser, x.Value) < 0 {
			return &schema.Error{Code: schema.CodeInvalid, Message: "a member is no user of the source"}
		}
	}
	return nil
}

func (m *Memory) tell(w scim.Write, before, after schema.SCIMResource) {
	if change, tells := w.Tell(before, after); tells {
		m.told = append(m.told, Told{w.SourceID, change, slices.Clone(w.Raw)})
	}
}

// now is a clock that never stands still.
func (m *Memory) now() time.Time {
	m.clock = m.clock.Add(time.Second)
	return m.clock
}

func copied(r schema.SCIMResource) schema.SCIMResource {
	r.Body, r.Members = slices.Clone(r.Body), slices.Clone(r.Members)
	return r
}

// rewritten writes JSON as a database does: with spaces, and names in another
// order than they came in.
func rewritten(body []byte) []byte {
	var v any
	if json.Unmarshal(body, &v) != nil {
		return body
	}
	out, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return body
	}
	return out
}
