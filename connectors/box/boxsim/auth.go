package boxsim

import (
	"math"
	"net/http"
	"strings"
	"time"

	"sendoff/connectors/simkit"
)

// rateWindow is the window of the rate limit, in wall time.
const rateWindow = time.Minute

// nameCaller fills in who calls, for the log; it refuses nothing.
func (s *Sim) nameCaller(c *simkit.Call) {
	t := s.tokens[bearer(c.Request)]
	if t == nil || !s.clock.Now().Before(t.expires) {
		return
	}
	c.TokenUser, c.ActingUser = t.user, t.user
	if as := c.Request.Header.Get("As-User"); as != "" {
		c.ActingUser = as
	}
}

func bearer(r *http.Request) string {
	kind, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(kind, "Bearer") {
		return ""
	}
	return strings.TrimSpace(value)
}

// authorize checks, in Box's order, the token, the impersonation, the rate and
// the scope.
func (s *Sim) authorize(q *request, rt route) *apiError {
	q.token = s.tokens[bearer(q.call.Request)]
	if q.token == nil || !q.now.Before(q.token.expires) {
		return invalidToken()
	}
	q.owner = s.w.user(q.token.user)
	if q.owner == nil {
		return invalidToken()
	}
	if err := s.refused(q.token.app); err != nil {
		return err
	}
	if !q.owner.active() {
		return s.deactivated()
	}
	q.actor = q.owner
	if as := q.call.Request.Header.Get("As-User"); as != "" {
		if err := s.impersonate(q, as); err != nil {
			return err
		}
	}
	if err := s.debit(q); err != nil {
		return err
	}
	return s.checkScope(q, rt)
}

// impersonate applies the As-User header: admins act as anybody but service
// accounts, coadmins and service accounts as plain users alone.
func (s *Sim) impersonate(q *request, id string) *apiError {
	target := s.w.user(id)
	if target == nil || target.external || s.switches.NoAsUser {
		return denied()
	}
	if target != q.owner {
		switch {
		case !q.owner.privileged(), target.service:
			return denied()
		case q.owner.role != roleAdmin && target.role != roleUser:
			return denied()
		}
	}
	if !target.active() {
		return s.deactivated()
	}
	q.actor = target
	return nil
}

// debit counts the call against the acting user and the token's user.
func (s *Sim) debit(q *request) *apiError {
	if s.cfg.Rate <= 0 {
		return nil
	}
	payers := []string{q.actor.id, q.owner.id}
	switch {
	case s.switches.AsUserDebits == "caller":
		payers = payers[1:]
	case s.switches.AsUserDebits == "acting", q.owner == q.actor:
		payers = payers[:1]
	}
	for _, id := range payers {
		calls := s.calls[id]
		for len(calls) > 0 && q.now.Sub(calls[0]) >= rateWindow {
			calls = calls[1:]
		}
		s.calls[id] = calls
		if len(calls) >= s.cfg.Rate {
			e := fail(http.StatusTooManyRequests, "rate_limit_exceeded", "Request rate limit exceeded, please try again later")
			wait := rateWindow - q.now.Sub(calls[0])
			e.retryAfter = max(1, int(math.Ceil(wait.Seconds())))
			return e
		}
	}
	for _, id := range payers {
		s.calls[id] = append(s.calls[id], q.now)
	}
	return nil
}
