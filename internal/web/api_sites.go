package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"sendoff/schema"
)

type siteBody struct {
	Name      string     `json:"name"`
	TimeZone  string     `json:"time_zone" doc:"Empty = it was removed"`
	UpdatedBy string     `json:"updated_by"`
	UpdatedAt *time.Time `json:"updated_at"`
}

type siteInput struct {
	Body struct {
		Name     string `json:"name" doc:"As sources write it"`
		TimeZone string `json:"time_zone" doc:"IANA name; empty = remove the site"`
	}
}

type siteOutput struct{ Body siteBody }

type listSitesOutput struct {
	Body struct {
		Sites []siteBody `json:"sites" nullable:"false"`
		Next  string     `json:"next"`
	}
}

func (s *server) registerSites() {
	handle(s, route{
		id: "list-sites", method: http.MethodGet, path: "/v1/hr/sites", roles: readers(), summary: "List places of work with their zones, by name",
	}, s.listSites)
	handle(s, route{
		id: "set-site", method: http.MethodPut, path: "/v1/hr/sites", roles: adminsOnly(),
		summary: "Name the zone of a place of work: it counts for people who have none themselves",
	}, s.setSite)
}

func (s *server) listSites(ctx context.Context, _ schema.Principal, in *Page) (*listSitesOutput, error) {
	list, next, err := s.hr.ListSites(ctx, in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &listSitesOutput{}
	out.Body.Sites, out.Body.Next = listOf(list, siteOf), next
	return out, nil
}

func (s *server) setSite(ctx context.Context, by schema.Principal, in *siteInput) (*siteOutput, error) {
	var f faults
	site := schema.Site{Name: strings.TrimSpace(in.Body.Name), TimeZone: f.zone("time_zone", in.Body.TimeZone, false)}
	f.required("name", site.Name, "name the site as the source writes it")
	checkText(&f, "name", site.Name, maxSite)
	if err := f.err("the site is not valid; nothing was changed"); err != nil {
		return nil, err
	}
	site, err := s.hr.SetSite(ctx, site, by)
	return &siteOutput{Body: siteOf(site)}, err
}

// maxSite is the longest a roster may write a site, in characters.
const maxSite = 500

func siteOf(s schema.Site) siteBody {
	return siteBody{Name: s.Name, TimeZone: s.TimeZone, UpdatedBy: s.UpdatedBy, UpdatedAt: instant(s.UpdatedAt)}
}
