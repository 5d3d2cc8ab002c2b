package boxsim

import (
	"maps"
	"slices"
	"time"
)

// Ledger is the truth about the enterprise, which no API of Box shows: every
// item ever made and what the transfers did.
type Ledger struct {
	Items    []LedgerItem    `json:"items"`
	Totals   LedgerTotals    `json:"totals"`
	Accounts []LedgerAccount `json:"accounts"`
	Jobs     []LedgerJob     `json:"jobs"`
	// Forced are the deletes that were sent with force=true, Deletes all of them.
	Forced    []LedgerDelete   `json:"forced_requests"`
	Deletes   []LedgerDelete   `json:"deletes"`
	Workflows []LedgerWorkflow `json:"workflows"`
}

// LedgerDelete is one request to delete an account that reached Box, with what
// it destroyed. Status is what Box decided; a fault may have told the client
// something else.
type LedgerDelete struct {
	Time   time.Time `json:"time"`
	User   string    `json:"user"`
	By     string    `json:"by"`
	Forced bool      `json:"forced"`
	Status int       `json:"status"`
	// UnderLegalHold tells whether a legal hold named the account or covered
	// what it owned, JobRunning whether a transfer job had the account in it.
	UnderLegalHold     bool  `json:"under_legal_hold"`
	JobRunning         bool  `json:"job_running"`
	ItemsDestroyed     int   `json:"items_destroyed"`
	BytesDestroyed     int64 `json:"bytes_destroyed"`
	HeldItemsDestroyed int   `json:"held_items_destroyed"`
	WorkflowsDestroyed int   `json:"workflows_destroyed"`
}

func (d *LedgerDelete) count(gone []*item) {
	for _, it := range gone {
		if it.madeByJob {
			continue
		}
		d.ItemsDestroyed++
		d.BytesDestroyed += it.size
		if it.destroyedHeld {
			d.HeldItemsDestroyed++
		}
	}
}

// LedgerItem is one item ever made.
type LedgerItem struct {
	ID                string   `json:"id"`
	FormerIDs         []string `json:"former_ids"`
	Type              string   `json:"type"`
	Name              string   `json:"name"`
	Owner             string   `json:"owner"`
	OriginalOwner     string   `json:"original_owner"`
	Parent            string   `json:"parent"` // "0" is the owner's root
	SizeBytes         int64    `json:"size"`
	State             string   `json:"state"` // alive, trashed, destroyed
	DestroyedBy       string   `json:"destroyed_by"`
	DestroyedHeld     bool     `json:"destroyed_held"` // while a legal hold covered it
	DestinationFolder string   `json:"destination_folder"`
	MadeByTransfer    bool     `json:"made_by_transfer"`
}

// LedgerTotals counts items. Folders made by transfers count nowhere but in
// DestinationFolders, so that Alive compares with OwnedBefore.
type LedgerTotals struct {
	ItemsEver          int            `json:"items_ever"`
	OwnedBefore        int            `json:"owned_before"` // alive when they were made
	Alive              int            `json:"alive"`
	Trashed            int            `json:"trashed"`
	Destroyed          int            `json:"destroyed"`
	DestroyedBy        map[string]int `json:"destroyed_by"`
	DestroyedHeld      int            `json:"destroyed_held"`
	BytesDestroyed     int64          `json:"bytes_destroyed"`
	WorkflowsDestroyed int            `json:"workflows_destroyed"`
	BytesAlive         int64          `json:"bytes_alive"`
	DestinationFolders int            `json:"destination_folders"`
	RunningJobs        int            `json:"running_jobs"`
}

// DestroyedByRequests counts the destroyed items that somebody's request destroyed.
// The others' time in the trash was over, which a company has seen happen before
// anybody is sent off; what was alive then and ends so is missing from Alive.
func (t LedgerTotals) DestroyedByRequests() int { return t.Destroyed - t.DestroyedBy[byTrashLife] }

// LedgerAccount is what happened to one account, deleted ones included.
type LedgerAccount struct {
	ID                 string         `json:"id"`
	Login              string         `json:"login"`
	Deleted            bool           `json:"deleted"`
	MaxConcurrentJobs  int            `json:"max_concurrent_jobs"`
	DeletesWhileJobRan int            `json:"deletes_while_job_ran"`
	TransferRequests   int            `json:"transfer_requests"`
	Transfers          map[string]int `json:"transfers"`
	SessionsTerminated int            `json:"sessions_terminated"`
	Items              int            `json:"items"` // owned now, trash included
	Bytes              int64          `json:"bytes"`
}

// LedgerJob is one transfer job. State is running, done or died; a job of mode
// never stays running.
type LedgerJob struct {
	Job    int    `json:"job"`
	Source string `json:"source"`
	Dest   string `json:"dest"`
	Folder string `json:"folder"`
	Mode   Mode   `json:"mode"`
	State  string `json:"state"`
	Moved  int    `json:"moved"`
	Items  int    `json:"items"`
}

// Ledger returns the truth of this instant.
func (s *Sim) Ledger() Ledger {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(s.clock.Now())
	out := Ledger{
		Items: []LedgerItem{}, Accounts: []LedgerAccount{}, Jobs: []LedgerJob{},
		Totals: LedgerTotals{DestroyedBy: map[string]int{}, RunningJobs: len(s.w.running)},
		Forced: []LedgerDelete{}, Deletes: append([]LedgerDelete{}, s.w.deletes...), Workflows: s.w.ledgerWorkflows(),
	}
	for _, d := range s.w.deletes {
		if d.Forced {
			out.Forced = append(out.Forced, d)
		}
	}
	for _, f := range out.Workflows {
		if f.State == string(stateDestroyed) {
			out.Totals.WorkflowsDestroyed++
		}
	}
	for _, it := range s.w.itemIDs {
		out.Items = append(out.Items, ledgerItem(it))
		out.Totals.count(it)
	}
	for _, u := range s.w.roll {
		out.Accounts = append(out.Accounts, ledgerAccount(u))
	}
	for _, j := range s.w.jobs {
		out.Jobs = append(out.Jobs, ledgerJob(j))
	}
	return out
}

func ledgerItem(it *item) LedgerItem {
	parent := it.parent
	if parent == "" {
		parent = rootID
	}
	return LedgerItem{
		ID: it.id, FormerIDs: append([]string{}, it.formerIDs...), Type: string(it.typ), Name: it.name, Owner: it.owner,
		OriginalOwner: it.originalOwner, Parent: parent, SizeBytes: it.size, State: string(it.state),
		DestroyedBy: it.destroyedBy, DestroyedHeld: it.destroyedHeld, DestinationFolder: it.destination, MadeByTransfer: it.madeByJob,
	}
}

func (t *LedgerTotals) count(it *item) {
	if it.madeByJob {
		t.DestinationFolders++
		return
	}
	t.ItemsEver++
	if it.bornAlive {
		t.OwnedBefore++
	}
	switch it.state {
	case stateAlive:
		t.Alive++
		t.BytesAlive += it.size
	case stateTrashed:
		t.Trashed++
	case stateDestroyed:
		t.Destroyed++
		t.BytesDestroyed += it.size
		if it.destroyedHeld {
			t.DestroyedHeld++
		}
		t.DestroyedBy[it.destroyedBy]++
	}
}

func ledgerAccount(u *user) LedgerAccount {
	outcomes := maps.Clone(u.transfers)
	if outcomes == nil {
		outcomes = map[string]int{}
	}
	if unanswered := u.transferRequests - sum(outcomes); unanswered > 0 {
		outcomes["other"] = unanswered // still open, or stopped before Box looked at it
	}
	return LedgerAccount{
		ID: u.id, Login: u.login, Deleted: u.deleted, MaxConcurrentJobs: u.maxJobs, DeletesWhileJobRan: u.deletesWhileJobRan,
		TransferRequests: u.transferRequests, Transfers: outcomes, SessionsTerminated: u.sessionsTerminated,
		Items: len(u.owned), Bytes: u.bytes,
	}
}

func sum(counts map[string]int) int {
	total := 0
	for _, n := range slices.Collect(maps.Values(counts)) {
		total += n
	}
	return total
}

func ledgerJob(j *job) LedgerJob {
	out := LedgerJob{
		Job: j.id, Source: j.source, Dest: j.dest, Folder: j.folder, Mode: j.mode, State: "running",
		Moved: j.next, Items: len(j.steps),
	}
	switch {
	case j.died:
		out.State = "died"
	case j.done:
		out.State = "done"
	}
	return out
}

// Person is one account as GET /_sim/users shows it.
type Person struct {
	ID        string `json:"id"`
	Login     string `json:"login"`
	Name      string `json:"name"`
	Role      string `json:"role"`
	Status    string `json:"status"`
	Service   bool   `json:"service"`
	Items     int    `json:"items"` // alive
	RootItems int    `json:"root_items"`
	Trashed   int    `json:"trashed"`
	Bytes     int64  `json:"bytes"` // trash included
	Mode      Mode   `json:"mode"`
}

// People lists all accounts that are not deleted.
func (s *Sim) People() []Person {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(s.clock.Now())
	out := []Person{}
	for _, u := range s.w.liveUsers() {
		p := Person{
			ID: u.id, Login: u.login, Name: u.name, Role: u.role, Status: u.status, Service: u.service,
			RootItems: len(s.w.children("", u.id, stateAlive)), Bytes: u.bytes, Mode: u.mode.mode,
		}
		for _, it := range u.owned {
			if it.alive() {
				p.Items++
			} else {
				p.Trashed++
			}
		}
		out = append(out, p)
	}
	return out
}
