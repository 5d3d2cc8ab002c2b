package box_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/connectors/box"
	"sendoff/connectors/box/boxsim"
	"sendoff/connectors/conformance"
	"sendoff/schema"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	conformance.Run(t, boxWorld)
}

// boxWorld is a simulated enterprise of the admin alone.
func boxWorld(t conformance.T) conformance.World {
	// So fast that an hour is a tenth of a second.
	sim, err := boxsim.New(boxsim.Config{Scale: 36000})
	require.NoError(t, err)
	admin := sim.Banner("").AdminID
	w := &simWorld{sim: sim, admin: admin}
	return conformance.World{
		Factory: box.Factory{},
		Handler: sim.Handler(),
		Config: func(base string) connectors.Config {
			b := sim.Banner(base)
			return connectors.Config{
				Connection: schema.Connection{
					ID: "conn", Name: "box", Vendor: "box", State: schema.ConnectionEnabled, BaseURL: b.BaseURL, TokenURL: b.TokenURL,
					ClientID: b.ClientID, EnterpriseID: b.EnterpriseID, AsUser: schema.ExternalID(admin),
				},
				Secret: b.ClientSecret,
			}
		},
		IsToken:      func(r *http.Request) bool { return r.URL.Path == "/oauth2/token" },
		ErrorBody:    boxError,
		Nobody:       "404404404",
		Impersonates: true,
		Statuses:     []string{"cannot_delete_edit", "cannot_delete_edit_upload"},
		PageParam:    "limit", TotalField: "total_count", MarkerRefusal: http.StatusBadRequest, TellsGranter: true,
		People: (*simPeople)(w), Groups: (*simGroups)(w), Inventory: (*simInventory)(w), Events: (*simEvents)(w), Holds: (*simHolds)(w), Content: (*simContent)(w), Transfers: (*simTransfers)(w),
	}
}

// boxError is Box's error envelope.
func boxError(status int, message string) []byte {
	code := map[int]string{
		400: "bad_request", 401: "unauthorized", 403: "forbidden", 404: "not_found", 409: "conflict", 429: "rate_limit_exceeded",
		500: "internal_server_error", 503: "unavailable",
	}[status]
	body, _ := json.Marshal(map[string]any{
		"type": "error", "status": status, "code": code, "message": message, "request_id": "req-1",
	})
	return body
}

// simWorld is the simulator as the suite's parts see it.
type simWorld struct {
	sim    *boxsim.Sim
	admin  string
	bearer string
	made   int
}

// api calls Box as the admin, past the suite's wire.
func (w *simWorld) api(method, path string, body, out any) (int, error) {
	if w.bearer == "" {
		form := "grant_type=client_credentials&client_id=" + boxsim.MainClientID + "&client_secret=" + boxsim.ClientSecret +
			"&box_subject_type=user&box_subject_id=" + w.admin
		req := httptest.NewRequest(http.MethodPost, "/oauth2/token", bytes.NewBufferString(form))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		var token struct {
			AccessToken string `json:"access_token"`
		}
		if _, err := w.serve(req, &token); err != nil {
			return 0, err
		}
		w.bearer = token.AccessToken
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return 0, err
	}
	req := httptest.NewRequest(method, "/2.0"+path, bytes.NewReader(raw))
	req.Header.Set("Authorization", "Bearer "+w.bearer)
	return w.serve(req, out)
}

func (w *simWorld) serve(req *http.Request, out any) (int, error) {
	rec := httptest.NewRecorder()
	w.sim.Handler().ServeHTTP(rec, req)
	if out == nil {
		return rec.Code, nil
	}
	return rec.Code, json.Unmarshal(rec.Body.Bytes(), out)
}

// name makes a name that nothing else has.
func (w *simWorld) name(what string) string {
	w.made++
	return fmt.Sprintf("%s %d", what, w.made)
}

type simPeople simWorld

// Add implements conformance.People.
func (p *simPeople) Add(n conformance.Person) (schema.ExternalID, error) {
	if n.Kind == schema.KindService { // there is one, which is there from the start
		for _, person := range p.sim.People() {
			if person.Service {
				return schema.ExternalID(person.ID), nil
			}
		}
		return "", errors.ErrUnsupported
	}
	spec := boxsim.UserSpec{
		Name: n.Name, Login: n.Login, Status: n.Status, External: n.Kind == schema.KindExternal, App: n.Kind == schema.KindApp,
	}
	if n.Role == schema.RoleCoadmin {
		spec.Role = "coadmin"
	}
	id, err := p.sim.AddUser(spec)
	return schema.ExternalID(id), err
}

// Truth implements conformance.People.
func (p *simPeople) Truth(id schema.ExternalID) (conformance.Truth, error) {
	truth := conformance.Truth{}
	for _, person := range p.sim.People() {
		if person.ID == string(id) {
			truth.Exists, truth.Status = true, person.Status
		}
	}
	for _, a := range p.sim.Ledger().Accounts {
		if a.ID == string(id) {
			truth.SessionsEnded = a.SessionsTerminated
		}
	}
	return truth, nil
}

type simGroups simWorld

// Add implements conformance.Groups. The first member of a seeded group is its
// administrator, so the admin is the first unless the account is to be it.
func (g *simGroups) Add(account schema.ExternalID, privileged bool) (schema.ExternalID, error) {
	w := (*simWorld)(g)
	members := []string{w.admin, string(account)}
	if privileged {
		members = members[1:]
	}
	group, err := w.sim.AddGroup(boxsim.GroupSpec{Name: w.name("Group"), Members: members})
	if err != nil || !privileged {
		return schema.ExternalID(group), err
	}
	m, _, err := g.Member(schema.ExternalID(group), account)
	if err != nil {
		return "", err
	}
	some := map[string]any{"configurable_permissions": map[string]bool{
		"can_run_reports": true, "can_instant_login": false, "can_create_accounts": true, "can_edit_accounts": false,
	}}
	status, err := w.api(http.MethodPut, "/group_memberships/"+string(m.ID), some, nil)
	if status != http.StatusOK {
		err = errors.Join(err, fmt.Errorf("set permissions: HTTP %d", status))
	}
	return schema.ExternalID(group), err
}

// Member implements conformance.Groups.
func (g *simGroups) Member(group, account schema.ExternalID) (schema.Membership, bool, error) {
	var page struct {
		Entries []struct {
			ID   schema.ExternalID `json:"id"`
			User struct {
				ID schema.ExternalID `json:"id"`
			} `json:"user"`
			Role        string          `json:"role"`
			Permissions map[string]bool `json:"configurable_permissions"`
		} `json:"entries"`
	}
	_, err := (*simWorld)(g).api(http.MethodGet, "/groups/"+string(group)+"/memberships?fields=id,user,role,configurable_permissions", nil, &page)
	for _, e := range page.Entries {
		if e.User.ID == account {
			return schema.Membership{ID: e.ID, GroupID: group, Role: e.Role, Permissions: e.Permissions}, true, err
		}
	}
	return schema.Membership{}, false, err
}

type simHolds simWorld

// Place implements conformance.Holds.
func (h *simHolds) Place(account schema.ExternalID) (schema.ExternalID, error) {
	id := h.sim.AddLegalHoldPolicy((*simWorld)(h).name("Hold"))
	_, err := h.sim.Assign(boxsim.AssignmentSpec{Policy: id, Type: "user", ID: string(account)})
	return schema.ExternalID(id), err
}

// Hide implements conformance.Holds.
func (h *simHolds) Hide() error { return h.sim.SetSwitches(boxsim.Switches{NoGovernanceScope: true}) }

type simContent simWorld

// Add implements conformance.Content.
func (c *simContent) Add(i conformance.Item) (schema.Witness, error) {
	spec := boxsim.ItemSpec{Owner: string(i.Owner), Name: (*simWorld)(c).name("Item"), SizeBytes: i.Bytes, Trashed: i.Trashed}
	add, typ := c.sim.AddFile, "file"
	if i.Folder {
		add, typ = c.sim.AddFolder, "folder"
	}
	id, err := add(spec)
	return schema.Witness{ID: schema.ExternalID(id), Type: typ}, err
}

// Share implements conformance.Content.
func (c *simContent) Share(item schema.Witness, with schema.ExternalID) (string, error) {
	const role = "editor"
	_, err := c.sim.AddCollaboration(boxsim.CollaborationSpec{Item: string(item.ID), User: string(with), Role: role})
	return role, err
}

// Owner implements conformance.Content.
func (c *simContent) Owner(item schema.Witness) (schema.ExternalID, error) {
	for _, i := range c.sim.Ledger().Items {
		if i.ID == string(item.ID) && i.State != "destroyed" {
			return schema.ExternalID(i.Owner), nil
		}
	}
	return "", nil
}

type simTransfers simWorld

// Plan implements conformance.Transfers.
func (p *simTransfers) Plan(source, receiver schema.ExternalID, mode conformance.Mode) error {
	const long = 10000 * time.Hour
	switch mode {
	case conformance.Suspended:
		status, err := (*simWorld)(p).api(http.MethodPut, "/users/"+string(source), map[string]string{"status": "inactive"}, nil)
		if status != http.StatusOK {
			err = errors.Join(err, fmt.Errorf("suspend: HTTP %d", status))
		}
		return errors.Join(err, p.sim.SetSwitches(boxsim.Switches{RefuseInactiveSource: true}))
	case conformance.Busy:
		// Another job takes content to the source.
		other, err := p.sim.AddUser(boxsim.UserSpec{Name: "Other", Login: "other@example.com"})
		if err != nil {
			return err
		}
		if err := p.sim.SetTransferMode(other, boxsim.ModeApplied503, long); err != nil {
			return err
		}
		body := map[string]any{"owned_by": map[string]any{"id": source}}
		_, err = (*simWorld)(p).api(http.MethodPut, "/users/"+other+"/folders/0", body, nil)
		return err
	}
	simMode := map[conformance.Mode]boxsim.Mode{
		conformance.Quick: boxsim.ModeQuick, conformance.StillRuns: boxsim.ModeSlow200, conformance.GatewayGone: boxsim.ModeGateway504,
		conformance.Dropped: boxsim.ModeDrop, conformance.Applied503: boxsim.ModeApplied503, conformance.Refused: boxsim.ModeRefused,
		conformance.Full: boxsim.ModeFull,
	}[mode]
	duration := time.Duration(0)
	if mode != conformance.Quick {
		duration = long
	}
	return p.sim.SetTransferMode(string(source), simMode, duration)
}
