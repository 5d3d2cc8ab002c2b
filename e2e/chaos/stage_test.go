package chaos_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// stage knows the leavers of a wave and holds each at its recipe's point until
// the wave's victim is dead.
type stage struct {
	mu      sync.Mutex
	byID    map[string]*leaver // by the vendor's id of leaver, receiver or membership
	byLogin map[string]*leaver // by either's address in lower case
	killed  chan struct{}      // closed once the victim is dead
}

func newStage() *stage {
	return &stage{byID: map[string]*leaver{}, byLogin: map[string]*leaver{}, killed: make(chan struct{})}
}

// add makes a leaver known, and by which further ids the vendor means them.
func (s *stage) add(l *leaver, ids ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		s.byID[id] = l
	}
	for _, p := range []person{l.source, l.receiver} {
		s.byID[p.id], s.byLogin[p.login] = l, l
	}
}

// of finds the leaver that an id or an address of the vendor belongs to.
func (s *stage) of(idOrLogin string) *leaver {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.byID[idOrLogin]; l != nil {
		return l
	}
	return s.byLogin[idOrLogin]
}

// at holds a leaver that has come to its point until the victim is dead, or ctx
// ends because whoever holds it is.
func (s *stage) at(ctx context.Context, l *leaver, point string) {
	if l == nil || !l.arrive(point) {
		return
	}
	select {
	case <-s.killed:
	case <-ctx.Done():
	}
}

// serve listens for the hooks of children and returns their URL.
func (s *stage) serve(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := &http.Server{Handler: http.HandlerFunc(s.passing), ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(l) }() // ends with Close
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	return "http://" + l.Addr().String()
}

func (s *stage) passing(w http.ResponseWriter, r *http.Request) {
	var p passing
	if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	l := s.of(string(p.Account))
	if l == nil {
		l = s.of(p.Email)
	}
	if l != nil && p.Process == killWorker && p.Point == firstStep {
		l.spoil()
	}
	if p.Process == killServer == serverPoint(p.Point) {
		s.at(r.Context(), l, p.Point)
	}
	w.WriteHeader(http.StatusNoContent)
}

const firstStep = "store.BeginStep." + string(schema.StepSnapshot) + ".after"

func serverPoint(point string) bool {
	return point == beforeCreate || point == afterCreate || point == beforeDispatch || point == afterDispatch
}
