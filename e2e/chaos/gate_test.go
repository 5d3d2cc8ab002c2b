package chaos_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"sendoff/connectors/box/boxsim"
	"sendoff/connectors/simkit"
)

// gate stands between the product and the simulated vendor. It says which leaver
// a call is about, whatever names them in it; holds calls inside, where a kill
// leaves them without an answer; and spoils them by the recipe.
type gate struct {
	sim   *boxsim.Sim
	stage *stage
	pipe  simkit.Pipe // its subjects are leavers' names
}

func newGate(sim *boxsim.Sim, s *stage) *gate {
	g := &gate{sim: sim, stage: s}
	g.pipe.ErrorBody = func(status int) any {
		if status == http.StatusUnauthorized {
			return nil // Box's has no body
		}
		return map[string]any{"type": "error", "status": status, "code": "injected", "message": "injected", "request_id": "gate"}
	}
	return g
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	op := opOf(r)
	c, err := simkit.NewCall(r, op, opOfNobody)
	if err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	l := g.about(r, op, c.Body)
	if l != nil {
		c.Subject = l.name
	}
	g.stage.at(r.Context(), l, "vendor."+op+".received")
	g.pipe.Serve(w, c, func(c *simkit.Call) {
		if op == opTransfer && l != nil && l.recipe.point() == transferRunning {
			g.passRunning(c, l)
		} else {
			g.pass(c)
		}
		g.stage.at(c.Context(), l, "vendor."+op+".answered")
	})
}

// pass lets the simulator answer.
func (g *gate) pass(c *simkit.Call) {
	rec := httptest.NewRecorder()
	rec.Body = &bytes.Buffer{}
	dropped := func() (dropped bool) {
		defer func() {
			if p := recover(); p != nil {
				err, ok := p.(error)
				if !ok || !errors.Is(err, http.ErrAbortHandler) {
					panic(p)
				}
				dropped = true
			}
		}()
		g.sim.Handler().ServeHTTP(rec, c.Request)
		return false
	}()
	if dropped {
		c.Drop()
		return
	}
	for name, values := range rec.Header() {
		if name != "Content-Length" {
			c.Header()[name] = values
		}
	}
	c.Raw(rec.Code, rec.Header().Get("Content-Type"), rec.Body.Bytes())
}

// passRunning lets the simulator answer a transfer and holds the call from the
// moment its job runs, before there is an answer.
func (g *gate) passRunning(c *simkit.Call, l *leaver) {
	answered := make(chan struct{})
	go func() { g.pass(c); close(answered) }()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	begun := func() bool {
		return slices.ContainsFunc(g.sim.Ledger().Jobs, func(j boxsim.LedgerJob) bool { return j.Source == l.source.id })
	}
	for waiting := true; waiting && !begun(); {
		select {
		case <-answered: // refused, or over before we looked
			waiting = false
		case <-tick.C:
		}
	}
	if !begun() {
		return
	}
	g.stage.at(c.Context(), l, transferRunning)
	<-answered
}

// opOf names an operation by its method and path, in the words of recipes.
func opOf(r *http.Request) string {
	path := strings.TrimPrefix(r.URL.Path, "/2.0/")
	kind, rest, _ := strings.Cut(path, "/")
	_, below, _ := strings.Cut(rest, "/")
	switch r.Method + " " + kind + " " + below {
	case "GET users ":
		if rest == "" {
			return opFindUser
		}
		return opReadUser
	case "GET users memberships":
		return opMemberships
	case "GET folders items":
		if rest == "trash/items" {
			return opListTrash
		}
		return opListRoot
	case "GET folders collaborations", "GET files collaborations":
		return opShares
	case "PUT users ":
		return opSetStatus
	case "POST users ":
		return opSessions
	case "PUT users folders/0":
		return opTransfer
	case "GET folders ", "GET files ", "GET web_links ":
		return opLocate
	case "DELETE users ":
		return opDelete
	case "DELETE group_memberships ":
		return opLeaveGroup
	}
	return opUnknownToUs
}

// about is the leaver that a call is about: whom it acts as, or whom it names.
func (g *gate) about(r *http.Request, op string, body []byte) *leaver {
	if as := r.Header.Get("As-User"); as != "" {
		return g.stage.of(as)
	}
	switch op {
	case opFindUser:
		return g.stage.of(strings.ToLower(r.URL.Query().Get("filter_term")))
	case opSessions:
		var b struct {
			IDs []string `json:"user_ids"`
		}
		if json.Unmarshal(body, &b) == nil && len(b.IDs) == 1 {
			return g.stage.of(b.IDs[0])
		}
		return nil
	}
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/2.0/"), "/")
	if (parts[0] == "users" || parts[0] == "group_memberships") && len(parts) > 1 {
		return g.stage.of(parts[1])
	}
	return nil
}

// of lists the calls of one operation about a leaver; "" is every operation.
func (g *gate) of(l *leaver, op string) []simkit.Record {
	var out []simkit.Record
	for _, r := range g.pipe.Log.Records() {
		if r.Subject == l.name && (op == "" || r.Op == op) {
			out = append(out, r)
		}
	}
	return out
}

// refused tells whether a call surely had no effect and the caller was told so:
// a whole answer of the 400s.
func refused(r simkit.Record) bool {
	return r.Ended == simkit.EndedAnswered && r.Status >= definiteFrom && r.Status <= definiteUpTo
}

// serve serves the gate until ctx ends.
func (g *gate) serve(ctx context.Context) (boxsim.Banner, error) {
	ln, err := simkit.ListenLoopback("127.0.0.1:0")
	if err != nil {
		return boxsim.Banner{}, err
	}
	go func() { _ = simkit.Serve(ctx, ln, g) }() // ends with ctx
	return g.sim.Banner("http://" + ln.Addr().String()), nil
}
