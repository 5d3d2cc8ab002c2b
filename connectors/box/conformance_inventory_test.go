package box_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"sendoff/connectors/box/boxsim"
	"sendoff/connectors/conformance"
	"sendoff/schema"
)

type simInventory simWorld

// Join implements conformance.Inventory.
func (i *simInventory) Join(group, account schema.ExternalID) error {
	body := map[string]any{"group": map[string]any{"id": group}, "user": map[string]any{"id": account}}
	status, err := (*simWorld)(i).api(http.MethodPost, "/group_memberships", body, nil)
	if status != http.StatusCreated {
		err = errors.Join(err, fmt.Errorf("join: HTTP %d", status))
	}
	return err
}

// Share implements conformance.Inventory. Box names nobody whose account is deleted,
// in one of the ways that its documents leave open.
func (i *simInventory) Share(item schema.Witness, group, by schema.ExternalID) (string, error) {
	const role = "viewer uploader"
	spec := boxsim.CollaborationSpec{Item: string(item.ID), Group: string(group), Role: role, CreatedBy: string(by)}
	if by != "" {
		_, err := i.sim.AddCollaboration(spec)
		return role, err
	}
	gone, err := i.sim.AddUser(boxsim.UserSpec{Name: "Gone", Login: "gone@example.com"})
	if err != nil {
		return role, err
	}
	spec.CreatedBy = gone
	_, err = i.sim.AddCollaboration(spec)
	return role, errors.Join(err, i.sim.RemoveUser(gone), i.sim.SetSwitches(boxsim.Switches{DeletedCreator: "null"}))
}

// Track implements conformance.Inventory. Box takes all codes of a user at once.
func (i *simInventory) Track(account schema.ExternalID, name, value string) error {
	w := (*simWorld)(i)
	var user struct {
		Codes []map[string]string `json:"tracking_codes"`
	}
	if _, err := w.api(http.MethodGet, "/users/"+string(account)+"?fields=tracking_codes", nil, &user); err != nil {
		return err
	}
	user.Codes = append(user.Codes, map[string]string{"type": "tracking_code", "name": name, "value": value})
	status, err := w.api(http.MethodPut, "/users/"+string(account), map[string]any{"tracking_codes": user.Codes}, nil)
	if status != http.StatusOK {
		err = errors.Join(err, fmt.Errorf("track: HTTP %d", status))
	}
	return err
}

type simEvents simWorld

// Record implements conformance.Events.
func (e *simEvents) Record(v conformance.Event) (string, error) {
	account, by := string(v.Account), string(v.By)
	spec := map[conformance.EventSort]boxsim.EventSpec{
		conformance.SignIn:       {Type: "LOGIN", CreatedBy: account, SourceUser: account},
		conformance.Work:         {Type: "PREVIEW", CreatedBy: account},
		conformance.AdminSignIn:  {Type: "ADMIN_LOGIN", CreatedBy: by, SourceUser: account},
		conformance.FailedSignIn: {Type: "FAILED_LOGIN", CreatedBy: account, SourceUser: account},
		conformance.Created:      {Type: "NEW_USER", CreatedBy: by, SourceUser: account},
		conformance.TokenIssued:  {Type: "USER_AUTHENTICATE_OAUTH2_ACCESS_TOKEN_CREATE", CreatedBy: account, SourceUser: account},
		conformance.Ours:         {Type: "PREVIEW", CreatedBy: account, ActionBy: e.admin},
		conformance.Deleted:      {Type: "DELETE_USER", CreatedBy: by, SourceUser: account},
	}[v.Sort]
	spec.Time = v.At
	return e.sim.Emit(spec)
}

// Position implements conformance.Events.
func (e *simEvents) Position() (string, error) {
	var page struct {
		Next json.Number `json:"next_stream_position"`
	}
	_, err := (*simWorld)(e).api(http.MethodGet, "/events?stream_type=admin_logs_streaming&stream_position=now", nil, &page)
	return page.Next.String(), err
}

// Hide implements conformance.Events.
func (e *simEvents) Hide() error { return e.sim.SetSwitches(boxsim.Switches{PlanWithoutEvents: true}) }
