package conformance_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"sendoff/connectors"
	"sendoff/connectors/conformance"
	"sendoff/schema"
)

// TestDesk runs the suite over a connector that is as it should be.
func TestDesk(t *testing.T) {
	t.Parallel()
	conformance.Run(t, func(conformance.T) conformance.World { return deskWorld(deskFactory{}) })
}

func deskWorld(f connectors.Factory) conformance.World {
	d := newDesk()
	return conformance.World{
		Factory: f, Handler: d.mux,
		Config: func(base string) connectors.Config {
			return connectors.Config{Secret: deskKey, Connection: schema.Connection{
				ID: "conn", Vendor: "desk", State: schema.ConnectionEnabled, BaseURL: base, TokenURL: base + "/token",
				ClientID: "desk-app", EnterpriseID: deskCompany, AsUser: "p-1",
			}}
		},
		IsToken: func(r *http.Request) bool { return r.URL.Path == "/token" },
		ErrorBody: func(status int, message string) []byte {
			body, _ := json.Marshal(map[string]any{"error": map[string]string{"code": "refused", "text": message}})
			return body
		},
		Nobody: "p-0", Impersonates: true, Statuses: []string{"half_open"}, PageParam: "limit", TotalField: "count", MarkerRefusal: 410, TellsGranter: true,
		Inventory: (*deskInventory)(d), Events: (*deskEvents)(d),
		People: (*deskPeople)(d), Groups: (*deskGroups)(d), Holds: (*deskHolds)(d), Content: (*deskContent)(d), Transfers: (*deskTransfers)(d),
	}
}

type deskPeople desk

func (d *deskPeople) Add(n conformance.Person) (schema.ExternalID, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := &deskPerson{ID: (*desk)(d).id("p"), Login: n.Login, Name: n.Name, Role: "member", State: "open", Company: deskCompany}
	if n.Role == schema.RoleCoadmin {
		p.Role = "manager"
	}
	if n.Status != "" {
		p.State = n.Status
	}
	switch n.Kind {
	case schema.KindExternal:
		p.Company = "c-2"
	case schema.KindService, schema.KindApp:
		if p.Robot = true; n.Kind == schema.KindApp {
			p.Login = "app:" + p.Login
		}
	}
	d.people[p.ID] = p
	return schema.ExternalID(p.ID), nil
}

func (d *deskPeople) Truth(id schema.ExternalID) (conformance.Truth, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.people[string(id)]
	if p == nil {
		return conformance.Truth{}, nil
	}
	return conformance.Truth{Exists: true, Status: p.State, SessionsEnded: p.signOuts}, nil
}

type deskGroups desk

func (d *deskGroups) Add(account schema.ExternalID, privileged bool) (schema.ExternalID, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	group := (*desk)(d).id("g")
	d.groups[group] = true
	m := &deskPlace{ID: (*desk)(d).id("m"), Person: string(account), Group: group, Role: "member"}
	if privileged {
		m.Role, m.Rights = "lead", map[string]bool{"may_invite": true, "may_rename": false}
	}
	d.places[m.ID] = m
	return schema.ExternalID(group), nil
}

func (d *deskGroups) Member(group, account schema.ExternalID) (schema.Membership, bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, m := range d.places {
		if m.Group == string(group) && m.Person == string(account) {
			return schema.Membership{ID: schema.ExternalID(m.ID), GroupID: group, Role: m.Role, Permissions: m.Rights}, true, nil
		}
	}
	return schema.Membership{}, false, nil
}

type deskHolds desk

func (d *deskHolds) Place(account schema.ExternalID) (schema.ExternalID, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	id := (*desk)(d).id("h")
	d.holds[id] = string(account)
	return schema.ExternalID(id), nil
}

func (d *deskHolds) Hide() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hidden = true
	return nil
}

type deskContent desk

func (d *deskContent) Add(i conformance.Item) (schema.Witness, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	it := &deskItem{ID: (*desk)(d).id("i"), Kind: "file", Owner: string(i.Owner), Size: i.Bytes, Trashed: i.Trashed, shares: map[string]string{}}
	if i.Folder {
		it.Kind = "folder"
	}
	d.items[it.ID] = it
	return schema.Witness{ID: schema.ExternalID(it.ID), Type: it.Kind}, nil
}

func (d *deskContent) Share(item schema.Witness, with schema.ExternalID) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.items[string(item.ID)].shares[string(with)] = "reader"
	return "reader", nil
}

func (d *deskContent) Owner(item schema.Witness) (schema.ExternalID, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if i := d.items[string(item.ID)]; i != nil {
		return schema.ExternalID(i.Owner), nil
	}
	return "", nil
}

type deskTransfers desk

func (d *deskTransfers) Plan(source, _ schema.ExternalID, mode conformance.Mode) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.modes[string(source)] = mode
	return nil
}
