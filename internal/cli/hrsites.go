package cli

type siteCommands struct {
	List listSitesCommand `cmd:"" help:"List sites with their zones."`
	Set  setSiteCommand   `cmd:"" help:"Name the zone of a site. Needs an admin."`
}

type listSitesCommand struct{}

// Run lists sites.
func (c *listSitesCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	list, err := api.Sites(in.ctx)
	if err != nil {
		return err
	}
	return in.result(map[string]any{"sites": list}, func() {
		var rows [][]string
		for _, s := range list {
			rows = append(rows, []string{s.Name, s.TimeZone, atOr(s.UpdatedAt, ""), s.UpdatedBy})
		}
		in.table("SITE|ZONE|SET|BY", rows)
	})
}

type setSiteCommand struct {
	Site string `arg:"" help:"The site, as sources write it."`
	Zone string `arg:"" optional:"" help:"IANA name of its zone; with --none the site is removed."`
	None bool   `help:"Remove the site: its people have the company's zone."`
}

// Run names a site's zone.
func (c *setSiteCommand) Run(in *invocation) error {
	if (c.Zone == "") != c.None {
		return usage("not exactly one of a zone and --none is given", "name the zone such as Europe/Berlin")
	}
	api, err := in.client()
	if err != nil {
		return err
	}
	s, err := api.SetSite(in.ctx, c.Site, c.Zone)
	if err != nil {
		return translateFlags(err, map[string]string{"name": "SITE", "time_zone": "ZONE"})
	}
	return in.result(s, func() {
		if s.TimeZone == "" {
			in.print("Removed site %s.", s.Name)
			return
		}
		in.print("Site %s is in %s.", s.Name, s.TimeZone)
	})
}
