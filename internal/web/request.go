package web

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"sendoff/internal/intake"
	"sendoff/schema"
)

const (
	maxRequests  = 1000
	maxReceivers = 20
	maxGrace     = 5 * 365 * 24 * time.Hour
	maxApprovals = 2

	defaultTemplate = "leaver"
)

// effectiveAtPast is the warning of a request dated in the past.
const effectiveAtPast schema.FindingCode = "EFFECTIVE_AT_PAST"

// requestBody asks for the offboarding of one person.
type requestBody struct {
	Email       string   `json:"email" doc:"The leaver's address"`
	Cause       string   `json:"cause,omitempty" enum:"offboarding,access_review,inactivity" doc:"Why; a higher cause takes over from a lower one, highest first as listed; empty = offboarding"`
	Receivers   []string `json:"receivers,omitempty" nullable:"false" doc:"Who may get the content, in order of preference: logins, or the rules manager, manager-of-manager and department-owner"`
	EffectiveAt string   `json:"effective_at,omitempty" doc:"RFC 3339 with zone; empty = at once"`
	Grace       string   `json:"grace,omitempty" doc:"How long the suspended account waits before its delete, such as 30d, 12h or 0s; empty = the template's, else 30d"`
	Template    string   `json:"template,omitempty" doc:"Name of a template: leaver, suspend, transfer, delete, or one from a file; empty = leaver"`
	Approvals   *int     `json:"approvals,omitempty" doc:"How many principals must approve, 0 to 2; absent = the template's"`
	SendAgain   bool     `json:"send_again,omitempty" doc:"Send a transfer although an earlier case ended while its transfer had no verdict; a second destination folder may appear"`
}

// intakeResult is what a list of requests was read as. Late holds the indexes of
// those dated in the past.
type intakeResult struct {
	requests []schema.Request
	late     []int
}

// readRequests checks a list of requests and reports every fault at once.
// templates are those there are of the names in it.
func readRequests(in []requestBody, source string, now time.Time, templates map[string]schema.Template) (intakeResult, error) {
	var f faults
	if len(in) == 0 {
		f.add("requests", "required", "the list is empty", "name at least one leaver")
	}
	if len(in) > maxRequests {
		f.add("requests", "too_many", fmt.Sprintf("%d leavers in one request", len(in)), fmt.Sprintf("send at most %d at once", maxRequests))
		return intakeResult{}, f.err("the request is not valid")
	}
	var out intakeResult
	first := map[string]int{}
	for i, body := range in {
		r := requestReader{faults: &f, at: fmt.Sprintf("requests[%d].", i), templates: templates}
		req := r.read(body, source)
		if j, twice := first[req.Email]; twice && req.Email != "" {
			r.add("email", "duplicate", fmt.Sprintf("the same leaver as requests[%d]", j), "name each leaver once")
		} else {
			first[req.Email] = i
		}
		if !req.EffectiveAt.IsZero() && req.EffectiveAt.Before(now) {
			out.late = append(out.late, i)
		}
		out.requests = append(out.requests, req)
	}
	return out, f.err("the request is not valid")
}

// warn adds the warnings of the intake to the drafts made from it.
func (in intakeResult) warn(drafts []schema.Draft) {
	for _, i := range in.late {
		if i < len(drafts) {
			drafts[i].Findings = append(drafts[i].Findings, schema.Finding{
				Code: effectiveAtPast, Warning: true,
				Message: "the time asked for has passed: the case begins at once",
				Fix:     "check the date if that is not meant",
			})
		}
	}
}

// requestReader reads one request and notes faults under its place in the list.
type requestReader struct {
	*faults
	at        string
	templates map[string]schema.Template
}

func (r requestReader) add(field, code, message, fix string) {
	r.faults.add(r.at+field, code, message, fix)
}

func (r requestReader) read(body requestBody, source string) schema.Request {
	email, err := intake.ParseAddress(body.Email)
	if err != nil {
		r.add("email", "email_syntax", err.Error(), "give the address the person signs in with")
	}
	template := r.template(body.Template)
	req := schema.Request{
		Door: r.door(body.Cause), Email: email, Template: template.Name, Source: source,
		Receivers:   r.receivers(body.Receivers, template),
		EffectiveAt: r.effectiveAt(body.EffectiveAt),
		Grace:       r.grace(body.Grace, template),
		Approvals:   r.approvals(body.Approvals, template),
		SendAgain:   r.sendAgain(body.SendAgain, template),
	}
	return req
}

func (r requestReader) template(name string) schema.Template {
	t, ok := r.templates[cmp.Or(name, defaultTemplate)]
	if !ok {
		r.add("template", "unknown_template", "there is no template of that name", "use one of: sendoff templates list")
	}
	return t
}

// door is the cause as a door; the form of the request allows no other.
func (r requestReader) door(cause string) schema.Door {
	if cause == "" {
		return schema.DoorOffboarding
	}
	return schema.Door(cause)
}

func (r requestReader) receivers(in []string, t schema.Template) []string {
	if len(in) > maxReceivers {
		r.add("receivers", "too_many", fmt.Sprintf("%d receivers", len(in)), fmt.Sprintf("give at most %d", maxReceivers))
		return nil
	}
	if len(in) > 0 && t.Name != "" && !t.Has(schema.StepTransfer) {
		r.add("receivers", "no_transfer", "the template "+t.Name+" transfers nothing", "leave the receivers out, or use the template leaver or transfer")
	}
	var out []string
	for i, address := range in {
		field := fmt.Sprintf("receivers[%d]", i)
		got, err := intake.ParseReceiver(address)
		switch {
		case err != nil:
			r.add(field, "email_syntax", err.Error(), "give the address the receiver signs in with, or a rule")
		case !slices.Contains(out, got):
			out = append(out, got)
		}
	}
	return out
}

func (r requestReader) effectiveAt(s string) time.Time {
	if s == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		r.add("effective_at", "time_without_zone", "not an instant with its zone", "write it in RFC 3339 such as 2026-12-01T18:00:00+01:00, or leave it out to begin at once")
		return time.Time{}
	}
	return t.UTC()
}

// grace is the request's, else the length of the template's own waits, else the
// default. It fills the waits that give no length themselves.
func (r requestReader) grace(s string, t schema.Template) time.Duration {
	open, own := graceOf(t)
	open = open || t.Name == ""
	if s == "" {
		if open {
			return schema.DefaultGrace
		}
		return own
	}
	d, err := intake.ParseDuration(s)
	switch {
	case err != nil:
		r.add("grace", "duration_syntax", err.Error(), "write it such as 30d; 0s means no grace")
	case d > maxGrace:
		r.add("grace", "too_long", "the grace is longer than 5 years", "give at most 1825d")
	case !open && t.Has(schema.StepWait):
		r.add("grace", "own_wait", "the template "+t.Name+" says itself how long it waits, so no grace would be kept", "leave the grace out, or use another template")
	case !open:
		r.add("grace", "no_wait", "the template "+t.Name+" has no waiting step, so no grace would be kept", "leave the grace out, or use the template leaver")
	}
	return d
}

// graceOf tells whether a template has a wait whose length a grace fills, and the
// longest that it gives itself.
func graceOf(t schema.Template) (open bool, own time.Duration) {
	for _, step := range t.Steps {
		if step.Kind == schema.StepWait {
			open = open || (step.WaitSeconds == 0 && step.Until == "")
			own = max(own, time.Duration(step.WaitSeconds)*time.Second)
		}
	}
	return open, own
}

func (r requestReader) approvals(n *int, t schema.Template) int {
	if n == nil {
		return t.Approvals
	}
	if *n < 0 || *n > maxApprovals {
		r.add("approvals", "out_of_range", "the number of approvals is not 0, 1 or 2", "give 0, 1 or 2")
	} else if *n < t.Approvals {
		r.add("approvals", "below_template", fmt.Sprintf("the template %s needs %d", t.Name, t.Approvals), "ask for that many or more")
	}
	return *n
}

func (r requestReader) sendAgain(again bool, t schema.Template) bool {
	if again && t.Name != "" && !t.Has(schema.StepTransfer) {
		r.add("send_again", "no_transfer", "the template "+t.Name+" transfers nothing", "leave it out, or use the template leaver or transfer")
	}
	return again
}
