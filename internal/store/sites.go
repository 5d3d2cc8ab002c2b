package store

import (
	"context"

	"sendoff/internal/audit"
	"sendoff/schema"
)

const siteColumns = `name, time_zone, updated_by, updated_at`

// ListSites lists the sites that have a zone, by name.
func (s *Store) ListSites(ctx context.Context, after string, limit int) ([]schema.Site, string, error) {
	if err := checkLimit(limit, maxPage); err != nil {
		return nil, "", err
	}
	from, err := parseKeyCursor(after, false)
	if err != nil {
		return nil, "", err
	}
	list, err := all[schema.Site](ctx, s.pool, `select `+siteColumns+` from site where name > @after order by name limit @limit`,
		args{"after": from[0], "limit": limit + 1})
	if err != nil {
		return nil, "", translate("list sites", err)
	}
	list, next := cut(list, limit, func(s schema.Site) keyCursor { return keyCursor{s.Name} })
	return list, next, nil
}

// SetSite names the zone of a site; "" removes the site, CodeNotFound when there
// is none. Audited with the zone before.
func (s *Store) SetSite(ctx context.Context, site schema.Site, by schema.Principal) (schema.Site, error) {
	if err := checkPrincipal(by); err != nil {
		return schema.Site{}, err
	}
	problems := checkKey("name", site.Name)
	if site.TimeZone != "" {
		problems = append(problems, checkZone("time_zone", site.TimeZone)...)
	}
	if err := invalidIf("the site is not valid", problems); err != nil {
		return schema.Site{}, err
	}
	var set schema.Site
	err := s.inTx(ctx, "set the site's zone", func(ctx context.Context, t *tx) (err error) {
		set, err = t.setSite(ctx, site, by)
		return err
	})
	return set, err
}

func (t *tx) setSite(ctx context.Context, site schema.Site, by schema.Principal) (schema.Site, error) {
	if err := t.lockKey(ctx, "site/"+site.Name); err != nil {
		return site, err
	}
	before, ok, err := maybe[schema.Site](ctx, t, `select `+siteColumns+` from site where name = @name`, args{"name": site.Name})
	if err != nil {
		return site, err
	}
	if !ok && site.TimeZone == "" {
		return site, &schema.Error{Code: schema.CodeNotFound, Message: "there is no site " + site.Name, Fix: "list the sites"}
	}
	if before.TimeZone == site.TimeZone {
		return before, nil
	}
	t.record(audit.SystemStream, principal(by), "site.zone_set", audit.Subject{},
		map[string]string{"site": site.Name, "from": before.TimeZone, "to": site.TimeZone})
	if site.TimeZone == "" {
		site.UpdatedBy, site.UpdatedAt = by.Name, t.now
		return site, t.changeOne(ctx, `delete from site where name = @name`, args{"name": site.Name})
	}
	return one[schema.Site](ctx, t, `insert into site (name, time_zone, updated_by, updated_at) values (@name, @zone, @by, @now)
		on conflict (name) do update set time_zone = @zone, updated_by = @by, updated_at = @now returning `+siteColumns,
		args{"name": site.Name, "zone": site.TimeZone, "by": by.Name, "now": t.now})
}
