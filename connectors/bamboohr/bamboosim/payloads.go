package bamboosim

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// What happens to employees, as events name it.
const (
	actionCreated = "created"
	actionUpdated = "updated"
	actionDeleted = "deleted"
)

// message is a webhook about to be sent.
type message struct {
	hook     *webhook
	address  string // of the hook, as it is when the message is sent
	key      string
	employee string
	event    string
	body     []byte
	typ      string // of the content
	// at is what its timestamp header says; zero = the time of each attempt.
	at time.Time
	// spoil flips a byte of the signature.
	spoil bool
}

// tell sends an event to all webhooks that want it.
func (s *Sim) tell(e *employee, action string, changed []string) {
	for _, w := range s.hooks {
		family, wants := w.wants(action)
		monitored := slices.DeleteFunc(slices.Clone(changed), func(f string) bool { return !slices.Contains(w.MonitorFields, f) })
		if !wants || action == actionUpdated && len(monitored) == 0 {
			continue
		}
		s.send(s.message(w, family, action, e, monitored, CompanyID))
	}
}

// message writes an event in the words of its family.
func (s *Sim) message(w *webhook, family, action string, e *employee, changed []string, company string) message {
	m := message{hook: w, employee: e.ID(), event: family + action, typ: "application/json"}
	var payload any
	if family == familyPlain {
		data := obj{"companyId": company, "employeeId": e.ID()}
		if action == actionUpdated {
			data["changedFields"] = changed
		}
		at := s.now().Format(time.RFC3339)
		if s.switches.NumericZone {
			at = strings.TrimSuffix(at, "Z") + "+0000"
		}
		payload = obj{"type": m.event, "timestamp": at, "data": data}
	} else {
		payload = obj{"employees": []obj{s.withFields(w, action, e, changed)}}
	}
	raw, err := json.Marshal(payload)
	if err != nil {
		panic(fmt.Sprintf("bamboohr simulator: cannot write a payload: %v", err))
	}
	m.body = raw
	if w.Format == formatForm {
		m.typ, m.body = "application/x-www-form-urlencoded", form(raw)
	}
	return m
}

// withFields is an employee as the older family writes it: fields by the names
// people have for them, or those that the webhook gives them.
func (s *Sim) withFields(w *webhook, action string, e *employee, changed []string) obj {
	values := obj{}
	for alias, name := range w.PostFields {
		if v, known := s.value(e, alias, false); known && action != actionDeleted {
			values[name] = obj{"value": v}
		}
	}
	names := []string{}
	for _, f := range fields() {
		if slices.Contains(changed, f.alias) {
			names = append(names, f.name)
		}
	}
	return obj{"id": e.ID(), "action": map[string]string{actionCreated: "Created", actionUpdated: "Updated", actionDeleted: "Deleted"}[action], "changedFields": names, "fields": values}
}

// form writes a payload with PHP's brackets.
func form(raw []byte) []byte {
	var tree map[string]any
	_ = json.Unmarshal(raw, &tree) // written above
	out := url.Values{}
	var walk func(name string, v any)
	walk = func(name string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, member := range v {
				walk(name+"["+k+"]", member)
			}
		case []any:
			for i, member := range v {
				walk(fmt.Sprintf("%s[%d]", name, i), member)
			}
		case nil:
			out.Set(name, "")
		default:
			out.Set(name, fmt.Sprint(v))
		}
	}
	for k, v := range tree {
		if k == "employees" {
			k = "data"
		}
		walk(k, v)
	}
	return []byte(out.Encode())
}
