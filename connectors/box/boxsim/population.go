package boxsim

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// ownsNothingOneIn is how rare an account without any content is.
const ownsNothingOneIn = 8

// populate makes the company: the same one for the same seed and size.
func (s *Sim) populate() {
	rng := rand.New(rand.NewPCG(uint64(s.cfg.Seed), 0x5eed)) //nolint:gosec // a seed must give one company
	past := s.cfg.Epoch.Add(-400 * day)
	svc := s.newUser("Demo Automation", automationLogin(s.cfg.Seed), roleUser, past)
	svc.service, svc.spaceAmount = true, defaultSpaceBytes
	s.service = svc.id
	admin := s.newUser("Demo Admin", "admin@example.com", roleAdmin, past)
	s.admin = admin.id
	s.hire(rng, past)
	for _, u := range s.w.roll {
		if u.service {
			continue
		}
		if u.role == roleAdmin || rng.IntN(ownsNothingOneIn) > 0 {
			s.fill(rng, u)
		}
		s.welcome(rng, u)
	}
	s.share(rng)
	s.gather(rng)
	s.expand()
}

// hire makes all accounts but the admin. Two of them differ in the tail of
// their login alone, which is what a prefix search trips over.
func (s *Sim) hire(rng *rand.Rand, past time.Time) {
	first, last := firstNames(), lastNames()
	namesakes, coadmins := map[string]int{}, 0
	if s.cfg.Users >= 8 {
		s.newUser("Robin Prefix", "robin.prefix@example.com", roleUser, past)
		s.newUser("Robin Prefix", "robin.prefix@example.com.au", roleUser, past)
	}
	for len(s.w.roll)-1 < s.cfg.Users {
		name := first[rng.IntN(len(first))] + " " + last[rng.IntN(len(last))]
		login := strings.ReplaceAll(strings.ToLower(name), " ", ".")
		if namesakes[name]++; namesakes[name] > 1 {
			login += strconv.Itoa(namesakes[name])
		}
		u := s.newUser(name, login+"@example.com", roleUser, past.Add(time.Duration(rng.IntN(300))*day))
		u.jobTitle = jobTitles()[rng.IntN(len(jobTitles()))]
		if n := len(s.w.roll); n%3 > 0 {
			u.trackingCodes = []TrackingCode{{"tracking_code", "employee_number", employeeNumber(n)}}
		}
		switch {
		case s.cfg.Users >= 5 && coadmins < 2:
			u.role = roleCoadmin
			coadmins++
		case rng.IntN(20) == 0:
			u.status = statusInactive
		}
	}
}

// fill gives an account a small tree with everything in it that matters:
// nested folders, files, empty files, web links and some trash.
func (s *Sim) fill(rng *rand.Rand, u *user) {
	born := u.createdAt
	when := func() time.Time { return born.Add(time.Duration(rng.IntN(80*24)) * time.Hour) }
	folders := []string{""}
	for i := range 2 + rng.IntN(4) {
		parent := folders[rng.IntN(len(folders))]
		f := s.seedItem(typeFolder, ItemSpec{Owner: u.id, Parent: parent, Name: fmt.Sprintf("%s %d", topic(rng), i+1)}, when())
		folders = append(folders, f.id)
	}
	for i := range 4 + rng.IntN(16) {
		spec := ItemSpec{Owner: u.id, Parent: folders[rng.IntN(len(folders))], Name: fmt.Sprintf("%s %d.docx", topic(rng), i+1)}
		spec.SizeBytes = int64(1+rng.IntN(4000)) << 10
		if rng.IntN(12) == 0 {
			spec.SizeBytes = 0
		}
		s.seedItem(typeFile, spec, when())
	}
	if rng.IntN(2) == 0 {
		s.seedItem(typeWebLink, ItemSpec{Owner: u.id, Name: "Bookmark to " + strings.ToLower(topic(rng))}, when())
	}
	if rng.IntN(4) == 0 {
		at := s.cfg.Epoch.Add(-s.clock.Wall(time.Duration(rng.IntN(48)) * time.Hour))
		s.seedItem(typeFile, ItemSpec{Owner: u.id, Name: "Old draft.docx", SizeBytes: int64(1+rng.IntN(900)) << 10, Trashed: true}, at)
	}
}

// welcome records that the account was made and when it was last used.
func (s *Sim) welcome(rng *rand.Rand, u *user) {
	s.emit(u.createdAt, "NEW_USER", s.admin, s.w.miniUser(u.id))
	if rng.IntN(10) == 0 {
		return
	}
	u.lastLogin = s.cfg.Epoch.Add(-time.Duration(rng.IntN(120*24)) * time.Hour)
	if u.lastLogin.Before(u.createdAt) {
		u.lastLogin = u.createdAt
	}
	s.emit(u.lastLogin, "LOGIN", u.id, s.w.miniUser(u.id))
}

// share makes collaborations of both levels between people.
func (s *Sim) share(rng *rand.Rand) {
	people := s.people()
	if len(people) < 3 {
		return
	}
	for _, it := range s.w.itemIDs {
		odds := 0
		switch {
		case it.typ == typeFolder && it.parent == "":
			odds = 3
		case it.typ == typeFile && it.alive():
			odds = 25
		}
		if odds == 0 || rng.IntN(odds) != 0 {
			continue
		}
		if guest := people[rng.IntN(len(people))]; guest.id != it.owner {
			s.addCollab(it.id, guest.id, "", []string{roleEditor, "viewer", roleCoOwner}[rng.IntN(3)], it.createdAt)
		}
		if rng.IntN(4) == 0 {
			open := map[string]any{}
			it.sharedLink = sharedLink(it, &open)
		}
	}
}

func (s *Sim) people() []*user {
	var out []*user
	for _, u := range s.w.liveUsers() {
		if !u.service {
			out = append(out, u)
		}
	}
	return out
}

// gather makes the groups, each of them with a folder it may edit.
func (s *Sim) gather(rng *rand.Rand) {
	people := s.people()
	if len(people) < 5 {
		return
	}
	for _, name := range []string{"Design", "Engineering", "Finance", "Legal", "Sales", "Support"} {
		var members []string
		for _, u := range people {
			if rng.IntN(6) == 0 {
				members = append(members, u.id)
			}
		}
		groupID := s.seedGroup(name, members, s.cfg.Epoch.Add(-300*day))
		for _, it := range s.w.itemIDs {
			if it.typ == typeFolder && it.parent == "" && rng.IntN(40) == 0 {
				s.addCollab(it.id, "", groupID, roleEditor, it.createdAt)
				break
			}
		}
	}
}

func topic(rng *rand.Rand) string {
	all := []string{"Budget", "Contract", "Draft", "Invoice", "Manual", "Minutes", "Offer", "Plan", "Photos", "Report", "Review", "Roadmap"}
	return all[rng.IntN(len(all))]
}

func jobTitles() []string {
	return []string{"Accountant", "Analyst", "Architect", "Counsel", "Designer", "Engineer", "Manager", "Recruiter"}
}

func firstNames() []string {
	return []string{
		"Ada", "Alba", "Amir", "Anna", "Aya", "Bela", "Bruno", "Carla", "Chen", "Clara", "Dario", "Dina", "Elif", "Emil",
		"Erik", "Fatima", "Felix", "Gala", "Hana", "Hugo", "Ines", "Ivan", "Jana", "Jonas", "Kira", "Lars", "Lena", "Luca",
		"Maya", "Mila", "Nils", "Noor", "Olga", "Omar", "Paula", "Rosa", "Samir", "Tara", "Vera", "Yuki",
	}
}

func lastNames() []string {
	return []string{
		"Abel", "Adler", "Baker", "Berg", "Bloom", "Costa", "Cruz", "Dahl", "Diaz", "Evans", "Fischer", "Fox", "Garcia",
		"Hall", "Hansen", "Ito", "Jensen", "Kaya", "Keller", "Khan", "Larsen", "Lopez", "Mori", "Novak", "Okafor", "Olsen",
		"Park", "Patel", "Reyes", "Rossi", "Santos", "Sato", "Silva", "Singh", "Stone", "Suzuki", "Tanaka", "Weber", "Wolf", "Young",
	}
}
