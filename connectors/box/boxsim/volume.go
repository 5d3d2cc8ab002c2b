package boxsim

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Volume is a big company without content, on top of the users that Config
// counts. The same seed and numbers give the same company.
type Volume struct {
	// Users are accounts that own nothing: most in use, some never used, some
	// not used for long, a few deactivated, app users and coadmins.
	Users int
	// Groups with Memberships of these users among them, and with a few
	// collaborations on shared folders of the admin's.
	Groups, Memberships int
	// Events of the year before the epoch: sign-ins, downloads, previews,
	// uploads, edits and others, by these users.
	Events int
}

func (v Volume) check() error {
	switch {
	case v.Users < 0 || v.Groups < 0 || v.Memberships < 0 || v.Events < 0:
		return fmt.Errorf("box simulator: volume: the numbers of users, groups, memberships and events are 0 or more")
	case v.Memberships > 0 && (v.Groups == 0 || (v.Memberships+v.Groups-1)/v.Groups > v.Users):
		return fmt.Errorf("box simulator: volume: %d memberships do not fit %d groups of %d users: use more groups or more users", v.Memberships, v.Groups, v.Users)
	case v.Events > 0 && v.Users == 0, v.Events > math.MaxInt32:
		return fmt.Errorf("box simulator: volume: %d events need users, and at most %d events are possible", v.Events, math.MaxInt32)
	}
	return nil
}

// mix is a number that follows from a seed and an index (SplitMix64), so that a
// big company needs no memory for what can be computed.
func mix(seed, index uint64) uint64 {
	z := seed*0x9e3779b97f4a7c15 + index*0xd1342543de82ef95 + 0x632be59bd9b4e019
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Streams of numbers from one seed.
const (
	mixUser = iota + 1
	mixHabit
	mixGroup
	mixTime
	mixType
	mixActor
)

func (s *Sim) number(stream, index int) uint64 {
	return mix(mix(uint64(s.cfg.Seed), uint64(stream)), uint64(index))
} //nolint:gosec // any bits do

// expand adds the volume to the company.
func (s *Sim) expand() {
	v := s.cfg.Volume
	first := len(s.w.roll)
	s.expandUsers(v.Users)
	people := s.w.roll[first:]
	s.expandGroups(v, people)
	if v.Events > 0 {
		s.w.log.past = newPastEvents(s, people, v.Events)
	}
}

func (s *Sim) expandUsers(count int) {
	first, last := firstNames(), lastNames()
	names := make([]string, 0, len(first)*len(last))
	for _, f := range first {
		for _, l := range last {
			names = append(names, f+" "+l)
		}
	}
	titles := jobTitles()
	for i := range count {
		n := s.number(mixUser, i)
		name := names[n%uint64(len(names))]
		login := strings.ReplaceAll(strings.ToLower(name), " ", ".") + "." + strconv.Itoa(i) + "@example.com"
		u := s.newUser(name, login, roleUser, s.cfg.Epoch.Add(-time.Duration(n>>16%1200)*day))
		u.jobTitle = titles[n>>32%uint64(len(titles))]
		switch kind := n >> 40 % 1000; {
		case kind < 10:
			u.app, u.login = true, "AppUser_"+u.id+"@boxdevedition.com"
		case kind == 10 && i%100 == 0:
			u.role = roleCoadmin
		case kind < 13:
			u.status = "cannot_delete_edit"
		}
		if n>>50%5 > 0 && !u.app {
			u.trackingCodes = []TrackingCode{{"tracking_code", "employee_number", employeeNumber(i)}}
		}
		if h := s.habitOf(i); h.stopped > 90*day && n>>55%2 == 0 && u.status == statusActive {
			u.status = statusInactive
		}
	}
}

func employeeNumber(i int) string { return fmt.Sprintf("E%06d", i) }

// habit is how an account of a big company is used.
type habit struct {
	never   bool
	stopped time.Duration // before the epoch; 0 is in use
}

func (s *Sim) habitOf(i int) habit {
	n := s.number(mixHabit, i)
	switch kind := n % 100; {
	case kind < 8:
		return habit{never: true}
	case kind < 25:
		return habit{stopped: time.Duration(1+n>>8%364) * day}
	}
	return habit{}
}

// expandGroups makes groups from half to one and a half of the mean size. The
// members of one are every so many-th user from some user on, so that nobody is
// in it twice.
func (s *Sim) expandGroups(v Volume, people []*user) {
	left := v.Memberships
	for g := range v.Groups {
		n := s.number(mixGroup, g)
		mean := left / (v.Groups - g)
		size := min(mean/2+int(n%uint64(mean+1)), len(people), left) //nolint:gosec // below a count
		if rest := v.Groups - g - 1; left-size > rest*len(people) || rest == 0 {
			size = left - rest*len(people)
			if rest == 0 {
				size = left
			}
		}
		left -= size
		at := s.cfg.Epoch.Add(-time.Duration(n>>20%900) * day)
		id := s.seedGroup(fmt.Sprintf("Team %05d", g+1), members(people, size, n>>30), at)
		if m := s.w.membersOf[id]; len(m) > 0 && n>>50%2 == 0 {
			m[0].permissions = map[string]any{"can_run_reports": true, "can_instant_login": false, "can_create_accounts": false, "can_edit_accounts": true}
		}
		s.expandReach(id, g, at)
	}
}

func members(people []*user, size int, n uint64) []string {
	ids := make([]string, 0, size)
	if size == 0 {
		return ids
	}
	step := len(people) / size
	start := int(n % uint64(len(people))) //nolint:gosec // below a count
	for i := range size {
		ids = append(ids, people[(start+i*step)%len(people)].id)
	}
	return ids
}

// expandReach lets one group of three edit a folder of the admin's; ten groups
// share a folder.
func (s *Sim) expandReach(groupID string, g int, at time.Time) {
	const oneIn, perFolder = 3, 30
	if g%oneIn != 0 {
		return
	}
	if g%perFolder == 0 {
		s.seedItem(typeFolder, ItemSpec{Owner: s.admin, Name: fmt.Sprintf("Shared %05d", g/perFolder+1)}, at)
	}
	folder := s.w.itemIDs[len(s.w.itemIDs)-1]
	s.addCollab(folder.id, "", groupID, []string{roleEditor, "viewer", roleCoOwner}[g/oneIn%3], at)
}
