package bamboosim

import (
	"net/http"

	"sendoff/connectors/simkit"
)

// controlRoutes registers /_sim/, where tests and demos look and meddle. There is
// no authentication: the simulator listens on loopback alone.
func (s *Sim) controlRoutes(mux *http.ServeMux) {
	s.pipe.Control(mux)
	show := func(name string, v func() any) {
		mux.HandleFunc("GET /_sim/"+name, func(w http.ResponseWriter, _ *http.Request) {
			simkit.WriteJSON(w, http.StatusOK, v())
		})
	}
	show("employees", func() any { return map[string]any{"employees": s.Employees()} })
	show("deliveries", func() any { return map[string]any{"deliveries": s.Deliveries()} })
	show("switches", func() any {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.switches
	})
	mux.HandleFunc("POST /_sim/switches", control(func(to Switches) (any, error) { return to, s.SetSwitches(to) }))
	mux.HandleFunc("POST /_sim/hire", control(func(p Person) (any, error) {
		id, err := s.Hire(p)
		return map[string]string{"id": id}, err
	}))
	mux.HandleFunc("POST /_sim/terminate", control(changed(s.Terminate)))
	mux.HandleFunc("POST /_sim/clear_termination", control(onEmployee(s.ClearTermination)))
	mux.HandleFunc("POST /_sim/rehire", control(changed(s.Rehire)))
	mux.HandleFunc("POST /_sim/delete", control(onEmployee(s.Delete)))
	mux.HandleFunc("POST /_sim/change", control(changed(s.Change)))
	mux.HandleFunc("POST /_sim/deliver", control(changed(s.Deliver)))
	mux.HandleFunc("POST /_sim/day", control(func(b struct {
		Days int `json:"days"`
	},
	) (any, error) {
		return b, s.MoveDay(b.Days)
	}))
}

// control serves an endpoint that takes a B and answers some JSON.
func control[B any](do func(B) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var body B
		err := simkit.ReadJSON(r, &body)
		var out any
		if err == nil {
			out, err = do(body)
		}
		if err != nil {
			simkit.WriteError(w, http.StatusBadRequest, err)
			return
		}
		simkit.WriteJSON(w, http.StatusOK, out)
	}
}

func changed[B any](change func(B) error) func(B) (any, error) {
	return func(b B) (any, error) { return b, change(b) }
}

type idBody struct {
	ID string `json:"id"`
}

func onEmployee(do func(id string) error) func(idBody) (any, error) {
	return func(b idBody) (any, error) { return b, do(b.ID) }
}
