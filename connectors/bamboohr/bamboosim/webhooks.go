package bamboosim

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The formats of webhooks.
const (
	formatJSON = "json"
	formatForm = "form-encoded"
)

// webhook is one that was made. Guarded by the simulator's lock.
type webhook struct {
	webhookBody
	id         int
	created    time.Time
	lastSent   time.Time
	privateKey string
}

// webhookBody is what is said of a webhook to make or change it.
type webhookBody struct {
	Name                 string            `json:"name"`
	URL                  string            `json:"url"`
	Format               string            `json:"format"`
	MonitorFields        []string          `json:"monitorFields"`
	PostFields           map[string]string `json:"postFields"`
	IncludeCompanyDomain bool              `json:"includeCompanyDomain"`
	Events               []string          `json:"events"`
}

func (s *Sim) addHook(b webhookBody) *webhook {
	s.lastHook++
	w := &webhook{webhookBody: b, id: s.lastHook, created: s.now(), privateKey: newKey()}
	s.hooks = append(s.hooks, w)
	return w
}

// The families of events, which do not mix.
const (
	familyPlain      = "employee."
	familyWithFields = "employee_with_fields."
)

func knownEvents() []string {
	return []string{
		"employee_with_fields.updated", "employee_with_fields.created", "employee_with_fields.deleted", "company-integrations.updated",
		"employee.created", "employee.updated", "employee.deleted", "company.updated", "company.deleted",
	}
}

// wants tells whether the webhook hears of an action.
func (w *webhook) wants(action string) (family string, wants bool) {
	for _, family := range []string{familyPlain, familyWithFields} {
		if slices.Contains(w.Events, family+action) {
			return family, true
		}
	}
	return "", false
}

// hookBody reads and checks a webhook; nil = it has answered.
func (q *request) hookBody() *webhookBody {
	var b webhookBody
	if json.Unmarshal(q.call.Body, &b) != nil {
		q.badHook("The request body is malformed")
		return nil
	}
	if len(b.Events) == 0 {
		b.Events = []string{"employee_with_fields.updated", "employee_with_fields.deleted", "employee_with_fields.created"}
	}
	var issues []string
	issue := func(bad bool, text string) {
		if bad {
			issues = append(issues, text)
		}
	}
	issue(b.Name == "", "name is required")
	// Plain http is BambooHR's refusal; loopback alone is let through, for tests.
	issue(!strings.HasPrefix(b.URL, "https://") && !onLoopback(b.URL), "url must begin with https://")
	issue(b.Format != formatJSON && b.Format != formatForm, "format must be json or form-encoded")
	plain, withFields, updates := false, false, false
	for _, e := range b.Events {
		issue(!slices.Contains(knownEvents(), e), "an event is unknown")
		plain = plain || strings.HasPrefix(e, familyPlain)
		withFields = withFields || strings.HasPrefix(e, familyWithFields)
		updates = updates || e == "employee.updated" || e == "employee_with_fields.updated"
	}
	issue(plain && withFields, "employee and employee_with_fields events cannot be mixed")
	issue(updates && len(b.MonitorFields) == 0, "monitorFields is required")
	for _, alias := range b.MonitorFields {
		issue(!slices.ContainsFunc(fields(), func(f field) bool { return f.alias == alias }), "a monitored field is unknown")
	}
	if len(issues) > 0 {
		q.badHook(issues...)
		return nil
	}
	return &b
}

func (q *request) badHook(issues ...string) {
	q.call.JSON(http.StatusBadRequest, obj{"errors": []obj{{"error": "Bad request", "issues": issues}}})
}

// hook returns the webhook that the path names; nil = it has answered.
func (q *request) hook() *webhook {
	for _, w := range q.hooks {
		if strconv.Itoa(w.id) == q.path("id") {
			return w
		}
	}
	q.call.JSON(http.StatusNotFound, obj{"errors": obj{"error": "Webhook not found"}})
	return nil
}

const hookTime = "2006-01-02 15:04:05"

func (w *webhook) view() obj {
	out := obj{
		"id": strconv.Itoa(w.id), "name": w.Name, "created": w.created.Format(hookTime), "lastSent": nil, "url": w.URL, "format": w.Format,
		"monitorFields": nil, "postFields": obj{}, "includeCompanyDomain": w.IncludeCompanyDomain, "events": w.Events,
	}
	if !w.lastSent.IsZero() {
		out["lastSent"] = w.lastSent.Format(hookTime)
	}
	if len(w.MonitorFields) > 0 {
		out["monitorFields"] = w.MonitorFields
	}
	if len(w.PostFields) > 0 {
		out["postFields"] = w.PostFields
	}
	return out
}

func (q *request) listHooks() {
	list := []obj{}
	for _, w := range q.hooks {
		v := w.view()
		list = append(list, obj{"id": v["id"], "name": v["name"], "created": v["created"], "lastSent": v["lastSent"], "url": v["url"]})
	}
	q.call.JSON(http.StatusOK, obj{"webhooks": list})
}

func (q *request) createHook() {
	b := q.hookBody()
	if b == nil {
		return
	}
	w := q.addHook(*b)
	v := w.view()
	v["privateKey"] = w.privateKey // shown this once
	q.call.JSON(http.StatusCreated, v)
}

func (q *request) getHook() {
	if w := q.hook(); w != nil {
		q.call.JSON(http.StatusOK, w.view())
	}
}

func (q *request) updateHook() {
	w := q.hook()
	if w == nil {
		return
	}
	if b := q.hookBody(); b != nil {
		w.webhookBody = *b
		q.call.JSON(http.StatusOK, w.view())
	}
}

func (q *request) deleteHook() {
	w := q.hook()
	if w == nil {
		return
	}
	q.Sim.hooks = slices.DeleteFunc(q.hooks, func(other *webhook) bool { return other == w })
	q.call.Raw(http.StatusOK, "text/plain", []byte(""))
}

// logEntries is how much of a log is kept.
const logEntries = 200

func (q *request) hookLog() {
	w := q.hook()
	if w == nil {
		return
	}
	if q.switches.LogLimited {
		q.call.JSON(http.StatusOK, obj{"error": obj{"code": 429, "message": "Rate limit exceeded"}})
		return
	}
	out := []obj{}
	for _, d := range slices.Backward(q.sent) {
		if d.Webhook != strconv.Itoa(w.id) || len(out) == logEntries {
			continue
		}
		e := obj{
			"webhookId": d.Webhook, "url": w.URL, "lastAttempted": d.At.Format(hookTime), "lastSuccess": "",
			"statusCode": strconv.Itoa(d.Status), "format": w.Format, "employeeIds": []string{d.Employee},
		}
		if d.Status >= 200 && d.Status < 300 {
			e["lastSuccess"] = d.At.Format(hookTime)
		}
		out = append(out, e)
	}
	q.call.JSON(http.StatusOK, out)
}

func (q *request) monitorFields() {
	out := []obj{}
	for _, f := range fields() {
		out = append(out, obj{"id": strconv.Itoa(f.id), "name": f.name, "alias": f.alias})
	}
	q.call.JSON(http.StatusOK, obj{"fields": out})
}

func (q *request) postFields() {
	out := []obj{}
	for _, f := range fields() {
		out = append(out, obj{"id": f.id, "name": f.name, "alias": f.alias, "type": f.typ, "pageId": 1, "tableId": nil})
	}
	q.call.JSON(http.StatusOK, obj{"fields": out, "tables": []obj{}, "pages": []obj{{"id": 1, "name": "Personal"}}})
}
