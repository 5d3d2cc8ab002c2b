package boxsim

import (
	"fmt"
	"strings"
	"time"

	"sendoff/connectors/simkit"
)

// UserSpec describes an account to seed. Role and Status default to user and
// active; a SpaceAmountBytes of 0 is unlimited.
type UserSpec struct {
	Name             string `json:"name"`
	Login            string `json:"login"`
	Role             string `json:"role"`
	Status           string `json:"status"`
	SpaceAmountBytes int64  `json:"space_amount_bytes"`
	External         bool   `json:"external"`
	App              bool   `json:"app"`
	// Foreign is an external user who shares nothing with the enterprise, so
	// that even the id is not told about.
	Foreign bool `json:"foreign"`
	// LastLogin is when the account was last used; zero is never. CreatedAt
	// defaults to now.
	LastLogin time.Time `json:"last_login"`
	CreatedAt time.Time `json:"created_at"`
	// TrackingCodes are attributes such as an employee number.
	TrackingCodes []TrackingCode `json:"tracking_codes"`
}

// ItemSpec describes an item to seed. An empty Parent is the owner's root;
// with a Parent the owner is that folder's.
type ItemSpec struct {
	Owner     string `json:"owner"`
	Parent    string `json:"parent"`
	Name      string `json:"name"`
	SizeBytes int64  `json:"size_bytes"`
	Trashed   bool   `json:"trashed"`
	Retained  bool   `json:"retained"`
	URL       string `json:"url"` // web links alone
}

// CollaborationSpec describes an accepted collaboration of a user or a group. An
// empty CreatedBy is the item's owner.
type CollaborationSpec struct {
	Item      string `json:"item"`
	User      string `json:"user"`
	Group     string `json:"group"`
	Role      string `json:"role"`
	CreatedBy string `json:"created_by"`
}

// AddUser seeds an account and returns its id.
func (s *Sim) AddUser(spec UserSpec) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case spec.Name == "" || !strings.Contains(spec.Login, "@"):
		return "", fmt.Errorf("box simulator: a user needs a name and an e-mail address as login")
	case s.loginTaken(spec.Login, ""):
		return "", fmt.Errorf("box simulator: the login is taken: choose another")
	case spec.Role != "" && spec.Role != roleUser && spec.Role != roleCoadmin:
		return "", fmt.Errorf("box simulator: role %q: use user or coadmin", spec.Role)
	case spec.Status != "" && !validStatus(spec.Status):
		return "", fmt.Errorf("box simulator: status %q is none of Box's", spec.Status)
	}
	u := s.newUser(spec.Name, spec.Login, roleUser, s.clock.Now())
	u.external, u.foreign, u.app = spec.External || spec.Foreign, spec.Foreign, spec.App
	u.lastLogin, u.trackingCodes = spec.LastLogin, trackingCodes(spec.TrackingCodes)
	if !spec.CreatedAt.IsZero() {
		u.createdAt, u.modifiedAt = spec.CreatedAt, spec.CreatedAt
	}
	if spec.Role != "" {
		u.role = spec.Role
	}
	if spec.Status != "" {
		u.status = spec.Status
	}
	if spec.SpaceAmountBytes > 0 {
		u.spaceAmount = spec.SpaceAmountBytes
	}
	return u.id, nil
}

// AddFolder seeds a folder and returns its id.
func (s *Sim) AddFolder(spec ItemSpec) (string, error) { return s.seed(typeFolder, spec) }

// AddFile seeds a file of SizeBytes and returns its id.
func (s *Sim) AddFile(spec ItemSpec) (string, error) { return s.seed(typeFile, spec) }

// AddWebLink seeds a web link and returns its id.
func (s *Sim) AddWebLink(spec ItemSpec) (string, error) { return s.seed(typeWebLink, spec) }

func (s *Sim) seed(typ itemType, spec ItemSpec) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.w.items[spec.Parent]; p != nil {
		spec.Owner = p.owner
	} else if spec.Parent != "" {
		return "", fmt.Errorf("box simulator: parent %q does not exist", spec.Parent)
	}
	switch {
	case s.w.user(spec.Owner) == nil:
		return "", fmt.Errorf("box simulator: owner %q does not exist", spec.Owner)
	case spec.Name == "" || spec.SizeBytes < 0 || typ != typeFile && spec.SizeBytes != 0:
		return "", fmt.Errorf("box simulator: an item needs a name, and only files have a size")
	}
	return s.seedItem(typ, spec, s.clock.Now()).id, nil
}

func (s *Sim) seedItem(typ itemType, spec ItemSpec, now time.Time) *item {
	it := &item{
		typ: typ, name: spec.Name, size: spec.SizeBytes, owner: spec.Owner, parent: spec.Parent, createdBy: spec.Owner,
		retained: spec.Retained, url: spec.URL, createdAt: now, modifiedAt: now,
	}
	if typ == typeWebLink && it.url == "" {
		it.url = "https://www.example.com/"
	}
	if spec.Trashed {
		it.state, it.trashRoot, it.trashedAt = stateTrashed, true, now
		s.w.nextPurge = time.Time{}
	}
	s.w.add(it, now)
	s.w.users[it.owner].settleSpace()
	return it
}

// AddCollaboration seeds an accepted collaboration and returns its id.
func (s *Sim) AddCollaboration(spec CollaborationSpec) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.w.items[spec.Item] == nil:
		return "", fmt.Errorf("box simulator: item %q does not exist", spec.Item)
	case s.w.user(spec.User) == nil && s.w.groups[spec.Group] == nil:
		return "", fmt.Errorf("box simulator: name an existing user or group")
	case !validCollabRole(spec.Role):
		return "", fmt.Errorf("box simulator: role %q is none of Box's", spec.Role)
	case spec.CreatedBy != "" && s.w.user(spec.CreatedBy) == nil:
		return "", fmt.Errorf("box simulator: user %q, who is to have made it, does not exist", spec.CreatedBy)
	}
	c := s.addCollab(spec.Item, spec.User, spec.Group, spec.Role, s.clock.Now())
	if spec.CreatedBy != "" {
		c.createdBy = spec.CreatedBy
	}
	return c.id, nil
}

// GroupSpec describes a group to seed; the first member becomes its admin.
type GroupSpec struct {
	Name    string   `json:"name"`
	Members []string `json:"members"` // user ids
	// AllUsers makes it the group that holds everybody and cannot be changed.
	AllUsers bool `json:"all_users"`
	// Provenance names the directory that provides the group, if one does.
	Provenance string `json:"provenance"`
}

// AddGroup seeds a group with members and returns its id.
func (s *Sim) AddGroup(spec GroupSpec) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if spec.Name == "" {
		return "", fmt.Errorf("box simulator: a group needs a name")
	}
	for _, id := range spec.Members {
		if s.w.user(id) == nil {
			return "", fmt.Errorf("box simulator: user %q does not exist", id)
		}
	}
	id := s.seedGroup(spec.Name, spec.Members, s.clock.Now())
	g := s.w.groups[id]
	g.allUsers, g.provenance = spec.AllUsers, spec.Provenance
	return id, nil
}

func (s *Sim) seedGroup(name string, memberIDs []string, now time.Time) string {
	g := &group{id: s.w.id("group"), name: name, createdAt: now, modifiedAt: now}
	s.w.addGroup(g)
	for i, userID := range memberIDs {
		m := &membership{id: s.w.id("membership"), user: userID, group: g.id, role: roleMember, createdAt: now, modifiedAt: now}
		if i == 0 {
			m.role = roleAdmin
		}
		s.w.join(m)
	}
	return g.id
}

// SetTransferMode chooses how transfers from a user go. A duration of 0 is the
// mode's own; durations are simulated time.
func (s *Sim) SetTransferMode(userID string, mode Mode, duration time.Duration) error {
	return s.PlanTransfers(userID, TransferPlan{Mode: mode, Duration: duration})
}

// PlanTransfers chooses how transfers from a user go, in all detail.
func (s *Sim) PlanTransfers(userID string, plan TransferPlan) error {
	if err := plan.check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.w.user(userID)
	if u == nil {
		return fmt.Errorf("box simulator: plan transfers: user %q does not exist", userID)
	}
	for _, id := range plan.LeavesBehind {
		if s.w.items[id] == nil {
			return fmt.Errorf("box simulator: plan transfers: item %q does not exist", id)
		}
	}
	u.mode = plan.mode()
	return nil
}

// SetSwitches replaces all switches.
func (s *Sim) SetSwitches(to Switches) error {
	if err := to.check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(s.clock.Now())
	s.setSwitches(to)
	return nil
}

func (s *Sim) setSwitches(to Switches) {
	s.switches = to
	clear(s.listings)
}

// AddFaults schedules faults; see simkit.Fault.
func (s *Sim) AddFaults(faults ...simkit.Fault) error { return s.pipe.Faults.Add(faults...) }

// Requests returns the log of all requests so far.
func (s *Sim) Requests() []simkit.Record { return s.pipe.Log.Records() }

// Mails returns all mail that Box would have sent so far.
func (s *Sim) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(s.clock.Now())
	return append([]Mail{}, s.w.mails...)
}

// EndJobs ends all running jobs of an account at once. With finish their
// remaining moves are made, otherwise what has not moved stays. It returns how
// many jobs it ended.
func (s *Sim) EndJobs(userID string, finish bool) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	s.advance(now)
	jobs := s.jobsOf(userID)
	for _, j := range jobs {
		if finish {
			for ; j.next < len(j.steps); j.next++ {
				s.makeMove(j, moveStep{j.steps[j.next].item, now})
			}
		}
		s.endJob(j, now, finish)
	}
	return len(jobs)
}
