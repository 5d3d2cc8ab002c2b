package bamboosim

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"sendoff/connectors/simkit"
)

// request is one call while it is being served; the simulator's lock is held.
type request struct {
	*Sim
	call *simkit.Call
}

func (q *request) path(name string) string { return q.call.Request.PathValue(name) }

func (q *request) param(name string) string { return q.call.Request.URL.Query().Get(name) }

// refuse answers without a body, as BambooHR mostly does; the header has words.
func (q *request) refuse(status int, message string) {
	if message != "" {
		q.call.Header().Set("X-BambooHR-Error-Message", message)
	}
	q.call.JSON(status, nil)
}

// route is one endpoint below /v1.
type route struct {
	pattern string
	op      string
	handle  func(*request)
	// xml marks the older endpoints, which answer in XML unless JSON is asked for.
	xml bool
}

func apiRoutes() []route {
	return []route{
		{"GET /employees", "employees.list", (*request).listEmployees, false},
		{"GET /employees/changed", "employees.changed", (*request).listChanged, true},
		{"GET /employees/changed/tables/{table}", "tables.changed", (*request).changedTable, true},
		{"GET /employees/directory", "employees.directory", (*request).directory, true},
		{"GET /employees/{id}", "employees.get", (*request).getEmployee, true},
		{"GET /employees/{id}/tables/{table}", "tables.get", (*request).getTable, true},
		{"GET /meta/fields", "meta.fields", (*request).metaFields, true},
		{"GET /meta/tables", "meta.tables", (*request).metaTables, true},
		{"GET /meta/users", "meta.users", (*request).metaUsers, true},
		{"GET /webhooks", "webhooks.list", (*request).listHooks, false},
		{"POST /webhooks", "webhooks.create", (*request).createHook, false},
		{"GET /webhooks/monitor_fields", "webhooks.monitor_fields", (*request).monitorFields, false},
		{"GET /webhooks/post-fields", "webhooks.post_fields", (*request).postFields, false},
		{"GET /webhooks/{id}", "webhooks.get", (*request).getHook, false},
		{"PUT /webhooks/{id}", "webhooks.update", (*request).updateHook, false},
		{"DELETE /webhooks/{id}", "webhooks.delete", (*request).deleteHook, false},
		{"GET /webhooks/{id}/log", "webhooks.log", (*request).hookLog, false},
	}
}

// opUnknown is the operation of calls that no route serves.
const opUnknown = "unknown"

func operations() []string {
	ops := []string{opUnknown}
	for _, rt := range apiRoutes() {
		ops = append(ops, rt.op)
	}
	return ops
}

// routes serves the API under both addresses it has: the company's own and the
// gateway's.
func (s *Sim) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for _, rt := range apiRoutes() {
		method, path, _ := strings.Cut(rt.pattern, " ")
		mux.HandleFunc(method+" /api/v1"+path, s.serve(rt))
		mux.HandleFunc(method+" /api/gateway.php/"+Company+"/v1"+path, s.serve(rt))
	}
	s.controlRoutes(mux)
	mux.HandleFunc("/", s.serve(route{op: opUnknown, handle: func(q *request) { q.refuse(http.StatusNotFound, "") }}))
	return mux
}

func (s *Sim) serve(rt route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		call, err := simkit.NewCall(r, rt.op, r.PathValue("id"))
		if err != nil {
			http.Error(w, "request body too large", http.StatusRequestEntityTooLarge)
			return
		}
		s.mu.Lock()
		s.requests++
		call.Header().Set("X-Request-ID", fmt.Sprintf("sim-%d", s.requests))
		s.mu.Unlock()
		s.pipe.Serve(w, call, func(c *simkit.Call) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.answer(&request{Sim: s, call: c}, rt)
		})
	}
}

func (s *Sim) answer(q *request, rt route) {
	key, _, ok := q.call.Request.BasicAuth()
	switch {
	case !ok || key != APIKey:
		q.refuse(http.StatusUnauthorized, "Invalid API key")
	case s.tooMany():
		s.slowDown(q)
	case rt.xml && !strings.Contains(q.call.Request.Header.Get("Accept"), "application/json"):
		q.call.Raw(http.StatusOK, "application/xml", []byte(`<?xml version="1.0"?><answer/>`))
	default:
		rt.handle(q)
	}
}

// tooMany counts a call of the last minute.
func (s *Sim) tooMany() bool {
	if s.cfg.Rate == 0 {
		return false
	}
	now := s.now()
	for len(s.calls) > 0 && now.Sub(s.calls[0]) > time.Minute {
		s.calls = s.calls[1:]
	}
	if len(s.calls) >= s.cfg.Rate {
		return true
	}
	s.calls = append(s.calls, now)
	return false
}

func (s *Sim) slowDown(q *request) {
	status := http.StatusServiceUnavailable
	if s.switches.SlowDownStatus != 0 {
		status = s.switches.SlowDownStatus
	}
	if !s.switches.NoRetryAfter {
		wait := time.Until(s.calls[0].Add(time.Minute)).Seconds()
		q.call.Header().Set("Retry-After", fmt.Sprint(int(wait)+1))
	}
	q.refuse(status, "API limit reached")
}
