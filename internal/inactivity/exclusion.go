package inactivity

import (
	"strings"
	"time"

	"sendoff/internal/match"
	"sendoff/schema"
)

// exclusion is one that is ready: when is set for a condition, login holds a
// pattern in lower case.
type exclusion struct {
	schema.Exclusion
	when  *match.Program
	login string
}

func (c *compiler) exclusion(where string, e schema.Exclusion) {
	said := 0
	for _, s := range []string{e.Group, e.Person, e.Login, e.When} {
		if s != "" {
			said++
		}
	}
	if said != 1 {
		c.fault(where, "exclusion", "not exactly one of group, person, login and when is said", "write one entry for each")
		return
	}
	out := exclusion{Exclusion: e, login: strings.ToLower(e.Login)}
	switch {
	case e.When != "":
		out.when = c.program(where+".when", e.When)
	case e.Group != "":
		c.rule.needs.Groups = true
	case e.Person != "":
		c.rule.needs.Person = true
	}
	c.rule.exclude = append(c.rule.exclude, out)
}

// excluded is the place of the first exclusion that keeps the account out, or -1.
func (r *Rule) excluded(s *schema.Subject, g schema.Grade, now time.Time) int {
	if len(r.exclude) == 0 {
		return -1
	}
	today, login := schema.DateOf(now.UTC()), strings.ToLower(s.Account.Login)
	for i := range r.exclude {
		if e := &r.exclude[i]; e.Live(today) && e.holds(s, login, g, now) {
			return i
		}
	}
	return -1
}

// holds takes the login in lower case as well.
func (e *exclusion) holds(s *schema.Subject, login string, g schema.Grade, now time.Time) bool {
	switch {
	case e.when != nil:
		yes, err := e.when.Eval(s, g, now)
		return yes || err != nil // fail closed
	case e.Group != "":
		return inGroup(s.Groups, e.Group)
	case e.Person != "":
		return isPerson(s, e.Person)
	}
	return match.Like(login, e.login)
}

func inGroup(groups []schema.HeldGroup, named string) bool {
	for _, g := range groups {
		if g.ID == named || strings.EqualFold(g.Name, named) {
			return true
		}
	}
	return false
}

// isPerson tells whether somebody holds the account. A login that is their address
// says so too: nobody may have matched the account to them yet.
func isPerson(s *schema.Subject, address string) bool {
	return strings.EqualFold(s.Account.Login, address) || s.Person != nil && strings.EqualFold(s.Person.Email, address)
}
