package boxsim

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

const (
	defaultSpaceBytes   = int64(10) << 30
	unlimitedSpaceBytes = int64(1_000_000_000_000_000)
	maxUserName         = 50
)

func (q *request) listUsers() reply {
	p, err := q.paging(false)
	if err != nil {
		return failed(err)
	}
	kind := q.param("user_type")
	switch kind {
	case "", "all", "managed", "external":
	default:
		return failed(badRequest("user_type", "Invalid value '"+kind+"'"))
	}
	term := q.param("filter_term")
	var found []*user
	roll := q.w.roll
	if p.marker {
		roll = roll[q.w.rollFrom(p.after):]
	}
	for _, u := range roll {
		if p.marker && len(found) > p.limit {
			break // one more than the page holds tells that there is more
		}
		if !u.deleted && q.listed(u, kind, term) {
			found = append(found, u)
		}
	}
	chosen := q.userFields().choose(q.fields())
	return written(writePage(p, found, func(u *user) string { return u.id },
		func(b []byte, u *user) []byte { return chosen.append(b, sight{user: u, now: q.now}) }, nil))
}

// listed tells whether a user belongs into a listing: filter_term is a prefix
// of the name or the login, and external users show for their whole login alone.
func (q *request) listed(u *user, kind, term string) bool {
	switch {
	case u.service && !q.switches.ListServiceAccount, u.foreign:
		return false
	case u.external:
		return kind != "managed" && term != "" && q.sameLogin(u.login, term)
	case kind == "external":
		return false
	}
	if q.switches.FilterMatchesAliases {
		for _, a := range u.aliases {
			if q.hasPrefix(a.email, term) {
				return true
			}
		}
	}
	return term == "" || q.hasPrefix(u.login, term) || hasPrefixFold(u.name, term)
}

// hasPrefix and sameLogin compare logins as Box is switched to.
func (s *Sim) hasPrefix(login, prefix string) bool {
	if s.switches.LoginCase == "exact" {
		return strings.HasPrefix(login, prefix)
	}
	return hasPrefixFold(login, prefix)
}

func (s *Sim) sameLogin(a, b string) bool {
	if s.switches.LoginCase == "exact" {
		return a == b
	}
	return strings.EqualFold(a, b)
}

// known resolves a user that the enterprise may see.
func (q *request) known(id string) (*user, *apiError) {
	u := q.w.user(id)
	switch {
	case u == nil:
		return nil, notFound("user", id)
	case u.foreign && q.switches.ForeignUser == "404":
		return nil, notFound("user", id)
	case u.foreign:
		return nil, denied()
	}
	return u, nil
}

// managed resolves a user of the enterprise whom the caller may change.
func (q *request) managed(id string) (*user, *apiError) {
	u, err := q.known(id)
	if err != nil {
		return nil, err
	}
	if u.external {
		return nil, denied()
	}
	return u, q.mayManage(u)
}

func (q *request) getMe() reply { return ok(q.see(q.actor, q.fields(), q.now)) }

func (q *request) getUser() reply {
	u, err := q.known(q.id())
	if err != nil {
		return failed(err)
	}
	return ok(q.see(u, q.fields(), q.now))
}

func (s *Sim) loginTaken(login, except string) bool {
	for _, u := range s.w.roll {
		if u.deleted {
			continue
		}
		if u.id != except && s.sameLogin(u.login, login) {
			return true
		}
		for _, a := range u.aliases {
			if s.sameLogin(a.email, login) {
				return true
			}
		}
	}
	return false
}

// seatError refuses a managed user for whom there is no seat left. Inactive
// accounts take one too.
func (q *request) seatError() *apiError {
	taken := 0
	for _, u := range q.w.liveUsers() {
		if !u.external && !u.service && !u.app {
			taken++
		}
	}
	if q.switches.Seats == 0 || taken < q.switches.Seats {
		return nil
	}
	return refusal(chosen(q.switches.NoSeatAnswer, http.StatusForbidden), "The enterprise has no seat left")
}

func loginUsed() *apiError {
	return fail(http.StatusConflict, "user_login_already_used", "User with the specified login already exists")
}

func (q *request) createUser() reply {
	var b userBody
	if err := q.decode(&b); err != nil {
		return failed(err)
	}
	switch {
	case b.Name == nil:
		return failed(badRequest("name", "'name' is required"))
	case b.Login == nil && !b.PlatformOnly:
		return failed(badRequest("login", "'login' is required"))
	}
	if err := b.check(); err != nil {
		return failed(err)
	}
	if b.Login != nil && q.loginTaken(*b.Login, "") {
		return failed(loginUsed())
	}
	if err := q.seatError(); err != nil && !b.PlatformOnly {
		return failed(err)
	}
	u := q.newUser(*b.Name, "", roleUser, q.now)
	u.app = b.PlatformOnly
	u.login = "AppUser_" + u.id + "@boxdevedition.com"
	b.apply(u, q.now)
	q.emit(q.now, "NEW_USER", q.actor.id, q.w.miniUser(u.id))
	return created(q.see(u, q.fields(), q.now))
}

func (q *request) updateUser() reply {
	u, err := q.managed(q.id())
	if err != nil {
		return failed(err)
	}
	var b userBody
	if err := q.decode(&b); err != nil {
		return failed(err)
	}
	if err := b.check(); err != nil {
		return failed(err)
	}
	if err := q.mayUpdate(u, b); err != nil {
		return failed(err)
	}
	before, roleBefore, asked := u.status, u.role, b.Status
	if q.switches.StatusNotApplied {
		b.Status = nil
	}
	b.apply(u, q.now)
	u.modifiedAt = q.now
	q.emitEdit(u, before)
	if u.role != roleBefore {
		q.emit(q.now, "CHANGE_ADMIN_ROLE", q.actor.id, userSource(u.id))
	}
	shown := sight{user: u, now: q.now}
	set(&shown.status, asked) // the answer to a write is the written, however late reads are
	return ok(json.RawMessage(q.userFields().choose(q.fields()).append(nil, shown)))
}

// mayUpdate applies the rules about what of an account may change.
func (q *request) mayUpdate(u *user, b userBody) *apiError {
	switch {
	case b.Enterprise != nil:
		return denied() // nobody is rolled out of the simulated enterprise
	case b.Status != nil && *b.Status == statusInactive && (u.role == roleAdmin || u == q.actor):
		return q.adminRefusal("You cannot deactivate this user")
	case b.Role != nil && u.role == roleAdmin:
		return denied()
	case b.Login != nil && q.loginTaken(*b.Login, u.id):
		return loginUsed()
	}
	return nil
}

// adminRefusal is the answer to what may happen to nobody's admin, to oneself
// or to the service account.
func (q *request) adminRefusal(message string) *apiError {
	if q.switches.AdminRefusal == "400" {
		return fail(http.StatusBadRequest, "bad_request", message)
	}
	return denied()
}

// mayManage applies Box's ranks: only the admin changes the admin, a coadmin or
// the service account, except that everybody may change themselves.
func (q *request) mayManage(u *user) *apiError {
	if u.privileged() && q.actor.role != roleAdmin && u != q.actor {
		return denied()
	}
	return nil
}

// newUser adds an active account without content.
func (s *Sim) newUser(name, login, role string, now time.Time) *user {
	u := &user{
		id: s.w.id("user"), name: name, login: login, role: role, status: statusActive,
		language: "en", timezone: "America/Los_Angeles", spaceAmount: unlimitedSpaceBytes,
		createdAt: now, modifiedAt: now, mode: transferMode{mode: ModeQuick},
	}
	s.w.enrol(u)
	return u
}

// terminateSessions accepts the order; Box offers no way to see it done.
func (q *request) terminateSessions() reply {
	var b struct {
		IDs    []string `json:"user_ids"`
		Logins []string `json:"user_logins"`
	}
	if err := q.decode(&b); err != nil {
		return failed(fail(http.StatusBadRequest, "bad_request", "Supported payload format is JSON"))
	}
	if len(b.IDs)+len(b.Logins) == 0 {
		return failed(fail(http.StatusBadRequest, "bad_request", "Users can not be NULL or EMPTY"))
	}
	ids := map[string]bool{}
	for _, id := range b.IDs {
		if q.w.user(id) == nil {
			return failed(notFound("user", id))
		}
		ids[id] = true
	}
	for _, u := range q.w.liveUsers() {
		for _, login := range b.Logins {
			ids[u.id] = ids[u.id] || q.sameLogin(u.login, login)
		}
	}
	for _, u := range q.w.liveUsers() {
		if ids[u.id] {
			q.endSessions(u)
		}
	}
	return reply{status: http.StatusAccepted, body: map[string]any{
		"message": "Request is successful, please check the admin events for the status of the job",
	}}
}

func (q *request) endSessions(u *user) {
	u.sessionsTerminated++
	if q.switches.TerminateKillsTokens {
		q.dropTokens(u.id)
	}
}
