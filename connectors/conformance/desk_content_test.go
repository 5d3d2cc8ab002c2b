package conformance_test

import (
	"encoding/json"
	"net/http"

	"sendoff/connectors/conformance"
)

// actor is who a request acts as; nil when that one may not be acted as.
func (d *desk) actor(r *http.Request) *deskPerson {
	p := d.people[r.Header.Get("X-Act-As")]
	if p == nil || p.State == "shut" {
		return nil
	}
	return p
}

func (d *desk) listItems(r *http.Request) (int, any) {
	p := d.actor(r)
	if p == nil {
		return refuse(401, "may_not_act_as")
	}
	trashed := r.URL.Query().Get("trashed") == "true"
	return listed(r, "items", d.items, func(i *deskItem) bool {
		return i.Trashed == trashed && i.Folder == "" && (i.Owner == p.ID || !trashed && i.shares[p.ID] != "")
	})
}

func (d *desk) item(h func(*http.Request, *deskItem) (int, any)) func(*http.Request) (int, any) {
	return func(r *http.Request) (int, any) {
		p, i := d.actor(r), d.items[r.PathValue("id")]
		switch {
		case p == nil:
			return refuse(401, "may_not_act_as")
		case i == nil || i.Owner != p.ID && i.shares[p.ID] == "":
			return refuse(404, "no_such_item")
		}
		return h(r, i)
	}
}

type deskShare struct {
	With string `json:"with"`
	Role string `json:"role"`
}

func (d *desk) listShares(r *http.Request, i *deskItem) (int, any) {
	all := map[string]deskShare{}
	for with, role := range i.shares {
		all[with] = deskShare{with, role}
	}
	return listed(r, "shares", all, func(deskShare) bool { return true })
}

func (d *desk) share(r *http.Request, i *deskItem) (int, any) {
	var s deskShare
	if json.NewDecoder(r.Body).Decode(&s) != nil || d.people[s.With] == nil {
		return refuse(400, "bad_share")
	}
	i.shares[s.With] = s.Role
	return 201, s
}

// handOver moves all that a person owns into a new folder of another's.
func (d *desk) handOver(r *http.Request, p *deskPerson) (int, any) {
	var body struct {
		To string `json:"to"`
	}
	if json.NewDecoder(r.Body).Decode(&body) != nil || d.people[body.To] == nil {
		return refuse(404, "no_such_person")
	}
	mode := d.modes[p.ID]
	switch mode {
	case conformance.Refused:
		return refuse(403, "not_allowed")
	case conformance.Full:
		return refuse(403, "no_room")
	case conformance.Suspended:
		return refuse(403, "source_is_shut")
	case conformance.Busy:
		return refuse(409, "busy")
	}
	folder := &deskItem{ID: d.id("i"), Kind: "folder", Owner: body.To, shares: map[string]string{}}
	for _, i := range d.items {
		if i.Owner == p.ID {
			i.Owner = body.To
			if !i.Trashed && i.Folder == "" {
				i.Folder = folder.ID
			}
		}
	}
	d.items[folder.ID] = folder
	switch mode {
	case conformance.GatewayGone:
		return 504, "<html>504</html>"
	case conformance.Dropped:
		return 0, nil
	case conformance.Applied503:
		return refuse(503, "try_later")
	}
	return 200, map[string]string{"folder": folder.ID}
}
