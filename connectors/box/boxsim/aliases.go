package boxsim

import (
	"fmt"
	"slices"
	"strings"
)

// emailAlias is a further address of an account.
type emailAlias struct{ id, email string }

func (a *emailAlias) view() any {
	return map[string]any{"type": "email_alias", "id": a.id, "email": a.email, "is_confirmed": true}
}

// AddEmailAlias seeds a confirmed alias and returns its id.
func (s *Sim) AddEmailAlias(userID, email string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.w.user(userID)
	if u == nil || !strings.Contains(email, "@") || s.loginTaken(email, "") {
		return "", fmt.Errorf("box simulator: an alias needs a user that exists and an address that nobody has")
	}
	return s.addAlias(u, email).id, nil
}

func (s *Sim) addAlias(u *user, email string) *emailAlias {
	a := &emailAlias{s.w.id("alias"), email}
	u.aliases = append(u.aliases, a)
	return a
}

func (q *request) listAliases() reply {
	u := q.w.user(q.id())
	if u == nil {
		return failed(notFound("user", q.id()))
	}
	entries := []any{}
	for _, a := range u.aliases {
		entries = append(entries, a.view())
	}
	return ok(map[string]any{"total_count": len(entries), "entries": entries})
}

func (q *request) createAlias() reply {
	u, err := q.managed(q.id())
	if err != nil {
		return failed(err)
	}
	var b struct {
		Email string `json:"email"`
	}
	if err := q.decode(&b); err != nil {
		return failed(err)
	}
	if !strings.Contains(b.Email, "@") {
		return failed(badRequest("email", "The alias must be an e-mail address"))
	}
	if q.loginTaken(b.Email, "") {
		return failed(loginUsed())
	}
	q.emit(q.now, "EMAIL_ALIAS_CONFIRM", q.actor.id, userSource(u.id))
	return created(q.addAlias(u, b.Email).view())
}

func (q *request) deleteAlias() reply {
	u, err := q.managed(q.id())
	if err != nil {
		return failed(err)
	}
	id := q.call.Request.PathValue("alias")
	i := slices.IndexFunc(u.aliases, func(a *emailAlias) bool { return a.id == id })
	if i < 0 {
		return failed(notFound("email_alias", id))
	}
	u.aliases = slices.Delete(u.aliases, i, i+1)
	q.emit(q.now, "EMAIL_ALIAS_REMOVE", q.actor.id, userSource(u.id))
	return noContent()
}
