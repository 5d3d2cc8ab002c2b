package activities_test

import (
	"context"
	"strings"
	"sync"

	"sendoff/connectors"
	"sendoff/schema"
)

// The vendor's words for a status.
const (
	active     = "active"
	inactive   = "inactive"
	restricted = "cannot_delete_edit"
)

// vendor is a small vendor with a state of its own. A test scripts rare answers:
// errors for the next calls of an operation, or what happens during a call.
type vendor struct {
	mu       sync.Mutex
	me       connectors.Identity
	accounts map[schema.ExternalID]schema.Account
	root     map[schema.ExternalID][]schema.Witness
	foreign  int
	trash    map[schema.ExternalID][]schema.Witness
	bytes    int64 // of each trash
	groups   []schema.Membership
	collabs  map[schema.ExternalID][]schema.SharedBy // by item
	places   map[schema.ExternalID]schema.WitnessPlace
	trashed  map[schema.ExternalID]bool // what arrived in a receiver's trash
	access   map[string]bool            // "folder account" of each co-owner
	holds    schema.VendorHolds
	surveyed schema.ContentSurvey

	calls  []string           // operations in their order
	errs   map[string][]error // the next answers of an operation
	during map[string]func()  // called, without the lock, when an operation begins
	deaf   map[string]bool    // writes that are accepted and change nothing
	lost   map[string]error   // writes that take effect and answer so

	outcome schema.TransferOutcome
	sending func(ctx context.Context) schema.TransferOutcome // replaces outcome
}

func newVendor() *vendor {
	return &vendor{
		me:       connectors.Identity{ExternalID: "1", Role: schema.RoleCoadmin, EnterpriseID: "900", Service: true},
		accounts: map[schema.ExternalID]schema.Account{}, root: map[schema.ExternalID][]schema.Witness{},
		trash: map[schema.ExternalID][]schema.Witness{}, collabs: map[schema.ExternalID][]schema.SharedBy{},
		places: map[schema.ExternalID]schema.WitnessPlace{}, trashed: map[schema.ExternalID]bool{},
		access: map[string]bool{}, errs: map[string][]error{}, during: map[string]func(){}, deaf: map[string]bool{}, lost: map[string]error{},
	}
}

func failure(kind connectors.Kind) error {
	return &connectors.Error{Kind: kind, Op: "vendor.call", Status: 499, Sent: true}
}

// add makes an active member with that much content, in bytes.
func (v *vendor) add(id schema.ExternalID, login string, spaceUsed int64) {
	v.change(id, func(a *schema.Account) {
		*a = schema.Account{
			ExternalID: id, Login: login, Name: "Account " + string(id), Role: schema.RoleMember, Kind: schema.KindPerson,
			VendorStatus: active, EnterpriseID: "900", SpaceUsed: spaceUsed, SpaceAmount: -1,
		}
	})
}

func (v *vendor) change(id schema.ExternalID, f func(*schema.Account)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	a := v.accounts[id]
	f(&a)
	a.Status = map[string]schema.AccountStatus{
		active: schema.AccountActive, inactive: schema.AccountSuspended, restricted: schema.AccountRestricted,
	}[a.VendorStatus]
	v.accounts[id] = a
}

func (v *vendor) remove(id schema.ExternalID) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.accounts, id)
}

// count tells how many calls of the operations there were.
func (v *vendor) count(ops ...string) (n int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, call := range v.calls {
		for _, op := range ops {
			if call == op || strings.HasPrefix(call, op+" ") {
				n++
			}
		}
	}
	return n
}

// writes lists what was sent to change something.
func (v *vendor) writes() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var out []string
	for _, call := range v.calls {
		switch op, _, _ := strings.Cut(call, " "); op {
		case "set_status", "set_role", "revoke", "send", "delete", "grant", "remove_membership", "add_membership":
			out = append(out, call)
		}
	}
	return out
}

// begin is how each operation begins. It holds the lock when it returns.
func (v *vendor) begin(op string, args ...string) error {
	v.mu.Lock()
	v.calls = append(v.calls, strings.TrimSpace(op+" "+strings.Join(args, " ")))
	if hook := v.during[op]; hook != nil {
		v.mu.Unlock()
		hook()
		v.mu.Lock()
	}
	if next := v.errs[op]; len(next) > 0 {
		v.errs[op] = next[1:]
		return next[0]
	}
	return nil
}

func (v *vendor) Manifest() connectors.Manifest { return connectors.Manifest{Vendor: "fake"} }
func (v *vendor) Close()                        {}

func (v *vendor) Check(context.Context) (connectors.Identity, error) {
	defer v.mu.Unlock()
	return v.me, v.begin("check")
}

func (v *vendor) FindByLogin(_ context.Context, login string) ([]schema.Account, error) {
	defer v.mu.Unlock()
	if err := v.begin("find"); err != nil {
		return nil, err
	}
	var found []schema.Account
	for _, a := range v.accounts {
		if strings.EqualFold(a.Login, login) {
			found = append(found, a)
		}
	}
	return found, nil
}

func (v *vendor) ReadAccount(_ context.Context, id schema.ExternalID) (schema.Account, error) {
	defer v.mu.Unlock()
	if err := v.begin("read"); err != nil {
		return schema.Account{}, err
	}
	a, ok := v.accounts[id]
	if !ok {
		return a, failure(connectors.NotFound)
	}
	return a, nil
}

func (v *vendor) SuspendedStatus() string { return inactive }

func (v *vendor) ActiveStatus() string { return "active" }

func (v *vendor) SetStatus(_ context.Context, id schema.ExternalID, status string) error {
	err := v.begin("set_status", string(id), status)
	v.mu.Unlock()
	if err != nil || v.deaf["set_status"] {
		return err
	}
	v.change(id, func(a *schema.Account) { a.VendorStatus = status })
	return v.lost["set_status"]
}

func (v *vendor) SetRole(_ context.Context, id schema.ExternalID, role schema.AccountRole) error {
	err := v.begin("set_role", string(id), string(role))
	v.mu.Unlock()
	if err != nil || v.deaf["set_role"] {
		return err
	}
	v.change(id, func(a *schema.Account) { a.Role = role })
	return v.lost["set_role"]
}

func (v *vendor) RevokeSessions(_ context.Context, id schema.ExternalID) error {
	defer v.mu.Unlock()
	return v.begin("revoke", string(id))
}

func (v *vendor) Memberships(context.Context, schema.ExternalID) ([]schema.Membership, error) {
	defer v.mu.Unlock()
	return v.groups, v.begin("groups")
}

func (v *vendor) RootItems(_ context.Context, owner schema.ExternalID) ([]schema.Witness, int, error) {
	defer v.mu.Unlock()
	return v.root[owner], v.foreign, v.begin("root")
}

func (v *vendor) TrashItems(_ context.Context, owner schema.ExternalID) ([]schema.Witness, int64, error) {
	defer v.mu.Unlock()
	return v.trash[owner], v.bytes, v.begin("trash")
}

func (v *vendor) ItemCollaborations(_ context.Context, _ schema.ExternalID, item schema.Witness) ([]schema.SharedBy, error) {
	defer v.mu.Unlock()
	return v.collabs[item.ID], v.begin("collaborations")
}

func (v *vendor) PrepareTransfer(_ context.Context, source, receiver schema.ExternalID) (connectors.PreparedTransfer, error) {
	defer v.mu.Unlock()
	return prepared{v, string(source), string(receiver)}, v.begin("prepare")
}

type prepared struct {
	v                *vendor
	source, receiver string
}

func (p prepared) Send(ctx context.Context) schema.TransferOutcome {
	_ = p.v.begin("send", p.source, p.receiver) // an outcome for whatever happens, never an error
	p.v.mu.Unlock()
	if p.v.sending != nil {
		return p.v.sending(ctx)
	}
	return p.v.outcome
}

func (v *vendor) LocateWitness(_ context.Context, _ schema.ExternalID, item schema.Witness) (schema.WitnessPlace, error) {
	defer v.mu.Unlock()
	return v.places[item.ID], v.begin("locate")
}

func (v *vendor) LocateTrashed(_ context.Context, _ schema.ExternalID, item schema.Witness) (bool, error) {
	defer v.mu.Unlock()
	return v.trashed[item.ID], v.begin("locate_trashed")
}

func (v *vendor) HasFolderAccess(_ context.Context, _, folder, account schema.ExternalID) (bool, error) {
	defer v.mu.Unlock()
	return v.access[string(folder+" "+account)], v.begin("access")
}

func (v *vendor) GrantFolderAccess(_ context.Context, owner, folder, account schema.ExternalID) error {
	defer v.mu.Unlock()
	if err := v.begin("grant", string(owner), string(folder), string(account)); err != nil || v.deaf["grant"] {
		return err
	}
	v.access[string(folder+" "+account)] = true
	return v.lost["grant"]
}

func (v *vendor) DeleteAccount(_ context.Context, id schema.ExternalID) error {
	err := v.begin("delete", string(id))
	v.mu.Unlock()
	if err != nil || v.deaf["delete"] {
		return err
	}
	v.remove(id)
	return v.lost["delete"]
}

// moved lets everything of the account arrive under a folder of the receiver's.
func (v *vendor) moved(from, to schema.ExternalID) {
	v.change(from, func(a *schema.Account) { a.SpaceUsed = 0 })
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, item := range v.root[from] {
		v.places[item.ID] = schema.WitnessPlace{Found: true, Owner: to, FolderID: "500"}
	}
	for _, item := range v.trash[from] {
		v.trashed[item.ID] = true
	}
}
