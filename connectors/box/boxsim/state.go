package boxsim

import (
	"cmp"
	"slices"
	"strconv"
	"time"
)

// rootID is the id every user's own root folder has.
const rootID = "0"

type itemType string

const (
	typeFolder  itemType = "folder"
	typeFile    itemType = "file"
	typeWebLink itemType = "web_link"
)

type itemState string

const (
	stateAlive     itemState = "alive"
	stateTrashed   itemState = "trashed"
	stateDestroyed itemState = "destroyed"
)

// item is a file, folder or web link. An item with an empty parent lies in its
// owner's root.
type item struct {
	id            string
	formerIDs     []string
	typ           itemType
	name          string
	size          int64
	content       []byte // what was uploaded; nil if the item was seeded
	owner         string
	originalOwner string
	formerOwners  []string
	parent        string
	destination   string // the transfer folder it was moved into
	madeByJob     bool
	bornAlive     bool
	state         itemState
	destroyedBy   string
	destroyedHeld bool // a legal hold covered it when it was destroyed
	trashRoot     bool // trashed itself, not with its folder
	retained      bool
	etag          int
	url           string
	description   string
	sharedLink    map[string]any
	createdBy     string
	createdAt     time.Time
	modifiedAt    time.Time
	trashedAt     time.Time
	children      []string
}

func (it *item) alive() bool { return it.state == stateAlive }

type user struct {
	id, name, login, role, status string
	language, timezone            string
	jobTitle, phone, address      string
	notificationEmail             string
	spaceAmount                   int64
	createdAt, modifiedAt         time.Time
	service, app, external        bool
	trackingCodes                 []TrackingCode
	noReports                     bool            // a coadmin without "run new reports"
	flags                         map[string]bool // those that were set; see flag
	mode                          transferMode
	owned                         map[string]*item // alive and trashed
	root                          []string         // ids of items in the root, oldest first
	bytes, trashBytes             int64            // bytes counts the trash too
	space                         []spacePoint
	pastStatuses                  []pastStatus
	aliases                       []*emailAlias
	foreign                       bool // external, and shares nothing with the enterprise
	lastLogin                     time.Time
	deleted                       bool
	sessionsTerminated            int
	maxJobs, deletesWhileJobRan   int
	transferRequests              int
	transfers                     map[string]int
}

// spacePoint is what a user's content measured from an instant on.
type spacePoint struct {
	from         time.Time
	bytes, trash int64
}

// pastStatus is a status that an account had until an instant.
type pastStatus struct {
	until  time.Time
	status string
}

func (u *user) setStatus(status string, now time.Time) {
	if status != u.status {
		u.pastStatuses = append(u.pastStatuses, pastStatus{now, u.status})
		u.status = status
	}
}

func (u *user) active() bool { return u.status != statusInactive }

func (u *user) privileged() bool { return u.role != roleUser || u.service }

const (
	roleAdmin      = "admin"
	roleCoadmin    = "coadmin"
	roleUser       = "user"
	roleMember     = "member" // of a group
	statusActive   = "active"
	statusInactive = "inactive"
)

type collaboration struct {
	id, item, user, group string
	inviteEmail           string
	role, status          string
	createdBy             string
	createdAt, modifiedAt time.Time
	accessOnly            bool
}

type group struct {
	id, name, description, provenance string
	createdAt, modifiedAt             time.Time
	externalSync                      string
	allUsers                          bool // holds everybody, and lets nobody leave
}

type membership struct {
	id, user, group, role string
	permissions           map[string]any
	createdAt, modifiedAt time.Time
}

type folderLock struct {
	id, folder, createdBy string
	move, delete          bool
	createdAt             time.Time
}

// Mail is one message Box would have sent.
type Mail struct {
	Time    time.Time `json:"time"`
	To      string    `json:"to"`
	Subject string    `json:"subject"`
	Body    string    `json:"body"`
}

// world is everything there is. Sim.mu guards it.
type world struct {
	users                                  map[string]*user
	roll                                   []*user // in the order of ids, the deleted ones too
	items                                  map[string]*item
	itemIDs                                []*item // in order of creation
	collabs                                map[string]*collaboration
	groups                                 map[string]*group
	groupRoll                              []*group // in the order of ids
	memberships                            map[string]*membership
	membersOf                              shelf[*membership] // by group
	groupsOf                               shelf[*membership] // by user
	itemCollabs, userCollabs, groupCollabs shelf[*collaboration]
	locks                                  map[string]*folderLock
	policies                               map[string]*policy
	assignments                            map[string]*assignment
	workflows                              map[string]*workflow
	jobs                                   []*job
	running                                []*job
	log                                    eventLog
	mails                                  []Mail
	deletes                                []LedgerDelete
	nextID                                 map[string]int64
	nextPurge                              time.Time
}

func newWorld() *world {
	return &world{
		users: map[string]*user{}, items: map[string]*item{}, collabs: map[string]*collaboration{},
		groups: map[string]*group{}, memberships: map[string]*membership{}, locks: map[string]*folderLock{},
		membersOf: shelf[*membership]{}, groupsOf: shelf[*membership]{},
		itemCollabs: shelf[*collaboration]{}, userCollabs: shelf[*collaboration]{}, groupCollabs: shelf[*collaboration]{},
		policies: map[string]*policy{}, assignments: map[string]*assignment{}, workflows: map[string]*workflow{},
		nextID: map[string]int64{
			"user": 20_000_000_000, "item": 700_000_000_000, "collaboration": 40_000_000_000, "group": 9_000_000,
			"membership": 5_000_000_000, "lock": 60_000, "policy": 80_000, "assignment": 300_000, "workflow": 440_000, "alias": 550_000, "version": 800_000_000_000,
		},
	}
}

// id gives the next id of a kind. Each kind has its own range, so that an id
// used for the wrong thing is not found.
func (w *world) id(kind string) string {
	w.nextID[kind] += 7
	return strconv.FormatInt(w.nextID[kind], 10)
}

func (w *world) user(id string) *user {
	if u := w.users[id]; u != nil && !u.deleted {
		return u
	}
	return nil
}

// liveUsers lists all accounts that are not deleted, oldest first.
func (w *world) liveUsers() []*user {
	var out []*user
	for _, u := range w.roll {
		if !u.deleted {
			out = append(out, u)
		}
	}
	return out
}

// byID returns the values of m in the order of their numeric ids.
func byID[T any](m map[string]T) []T {
	ids := make([]string, 0, len(m))
	for id := range m {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, compareIDs)
	out := make([]T, len(ids))
	for i, id := range ids {
		out[i] = m[id]
	}
	return out
}

func compareIDs(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}
