package boxsim

import (
	"encoding/json"
	"fmt"
	"net/http"

	"sendoff/connectors/simkit"
)

// controlRoutes registers /_sim/, where tests and demos look and meddle. There
// is no authentication: the simulator listens on loopback alone.
func (s *Sim) controlRoutes(mux *http.ServeMux) {
	s.pipe.Control(mux)
	show := func(name string, v func() any) {
		mux.HandleFunc("GET /_sim/"+name, func(w http.ResponseWriter, _ *http.Request) {
			simkit.WriteJSON(w, http.StatusOK, v())
		})
	}
	show("ledger", func() any { return s.Ledger() })
	show("mail", func() any { return map[string]any{"mail": s.Mails()} })
	show("users", func() any { return map[string]any{"users": s.People()} })
	show("switches", func() any {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.switches
	})
	show("apps", func() any { return map[string]any{"apps": s.Apps()} })
	show("switches/known", func() any { return map[string]any{"switches": KnownSwitches()} })
	mux.HandleFunc("POST /_sim/switches", s.postSwitches)
	mux.HandleFunc("POST /_sim/mode", control(s.controlMode))
	mux.HandleFunc("POST /_sim/jobs", control(s.controlJobs))
	mux.HandleFunc("POST /_sim/users", control(made(s.AddUser)))
	mux.HandleFunc("POST /_sim/users/change", control(changed(s.ChangeUser)))
	mux.HandleFunc("POST /_sim/users/remove", control(removed(s.RemoveUser)))
	mux.HandleFunc("POST /_sim/folders", control(made(s.AddFolder)))
	mux.HandleFunc("POST /_sim/files", control(made(s.AddFile)))
	mux.HandleFunc("POST /_sim/web_links", control(made(s.AddWebLink)))
	mux.HandleFunc("POST /_sim/collaborations", control(made(s.AddCollaboration)))
	mux.HandleFunc("POST /_sim/groups", control(made(s.AddGroup)))
	mux.HandleFunc("POST /_sim/groups/remove", control(removed(s.RemoveGroup)))
	mux.HandleFunc("POST /_sim/memberships", control(made(s.AddMembership)))
	mux.HandleFunc("POST /_sim/memberships/remove", control(removed(s.RemoveMembership)))
	mux.HandleFunc("POST /_sim/workflows", control(made(s.AddWorkflow)))
	mux.HandleFunc("POST /_sim/policies", control(made(s.AddPolicy)))
	mux.HandleFunc("POST /_sim/assignments", control(made(s.Assign)))
	mux.HandleFunc("POST /_sim/tokens/expire", control(s.controlExpire))
	mux.HandleFunc("POST /_sim/app_keys", control(s.controlAppKey))
	mux.HandleFunc("POST /_sim/codes", control(s.controlCode))
	mux.HandleFunc("POST /_sim/apps", control(made(s.AddApp)))
	mux.HandleFunc("POST /_sim/apps/change", control(changed(s.ChangeApp)))
	mux.HandleFunc("GET /_sim/events", s.getAllEvents)
	mux.HandleFunc("POST /_sim/events", control(made(s.Emit)))
}

// control serves an endpoint that takes a B and answers some JSON.
func control[B any](do func(B) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var body B
		if err := simkit.ReadJSON(r, &body); err != nil {
			simkit.WriteError(w, http.StatusBadRequest, err)
			return
		}
		out, err := do(body)
		if err != nil {
			simkit.WriteError(w, http.StatusBadRequest, err)
			return
		}
		simkit.WriteJSON(w, http.StatusOK, out)
	}
}

func made[B any](add func(B) (string, error)) func(B) (any, error) {
	return func(body B) (any, error) {
		id, err := add(body)
		return map[string]string{"id": id}, err
	}
}

func changed[B any](change func(B) error) func(B) (any, error) {
	return func(body B) (any, error) { return body, change(body) }
}

type idBody struct {
	ID string `json:"id"`
}

func removed(remove func(id string) error) func(idBody) (any, error) {
	return func(b idBody) (any, error) { return b, remove(b.ID) }
}

// postSwitches changes the switches that are named and leaves the others.
func (s *Sim) postSwitches(w http.ResponseWriter, r *http.Request) {
	var raw json.RawMessage
	err := simkit.ReadJSON(r, &raw)
	var to Switches
	if err == nil {
		to, err = s.changeSwitches(raw)
	}
	if err != nil {
		simkit.WriteError(w, http.StatusBadRequest, err)
		return
	}
	simkit.WriteJSON(w, http.StatusOK, to)
}

func (s *Sim) changeSwitches(raw []byte) (Switches, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	to, err := DecodeSwitches(raw, s.switches)
	if err != nil {
		return to, err
	}
	s.advance(s.clock.Now())
	s.setSwitches(to)
	return to, nil
}

type modeBody struct {
	User            string  `json:"user"`
	Mode            Mode    `json:"mode"`
	DurationSeconds float64 `json:"duration_s"`
	// DiesAfterItems, or else DiesAfterShare, kills the next job there.
	DiesAfterItems *int     `json:"dies_after_items,omitempty"`
	DiesAfterShare *float64 `json:"dies_after_share,omitempty"`
	LeavesBehind   []string `json:"leaves_behind,omitempty"`
}

func (s *Sim) controlMode(b modeBody) (any, error) {
	plan := TransferPlan{
		Mode: b.Mode, Duration: seconds(b.DurationSeconds), LeavesBehind: b.LeavesBehind,
		Dies: b.DiesAfterItems != nil || b.DiesAfterShare != nil,
	}
	set(&plan.DiesAfterItems, b.DiesAfterItems)
	set(&plan.DiesAfterShare, b.DiesAfterShare)
	return b, s.PlanTransfers(b.User, plan)
}

type jobsBody struct {
	User   string `json:"user"`
	Action string `json:"action"` // finish or abort
}

func (s *Sim) controlJobs(b jobsBody) (any, error) {
	if b.Action != "finish" && b.Action != "abort" {
		return nil, fmt.Errorf("action %q is unknown: use finish or abort", b.Action)
	}
	return map[string]int{"ended": s.EndJobs(b.User, b.Action == "finish")}, nil
}

// controlExpire ends all access tokens, or those of one user.
func (s *Sim) controlExpire(b struct {
	User string `json:"user"`
},
) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for value, t := range s.tokens {
		if b.User == "" || t.user == b.User {
			delete(s.tokens, value)
			n++
		}
	}
	return map[string]int{"expired": n}, nil
}
