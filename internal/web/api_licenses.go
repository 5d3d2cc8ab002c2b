package web

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"sendoff/internal/intake"
	"sendoff/schema"
)

type licenseBody struct {
	Connection     string        `json:"connection"`
	Seats          int64         `json:"seats" doc:"Bought"`
	UnitPrice      string        `json:"unit_price" doc:"Of one seat for one period, as a decimal"`
	UnitPriceMinor int64         `json:"unit_price_minor" doc:"The same in the currency's minor unit"`
	Currency       string        `json:"currency" doc:"ISO 4217"`
	Period         schema.Period `json:"period" doc:"month or year"`
	RenewsOn       string        `json:"renews_on" doc:"YYYY-MM-DD; empty = not said"`
	UpdatedBy      string        `json:"updated_by"`
	UpdatedAt      time.Time     `json:"updated_at"`
}

type licenseOutput struct{ Body licenseBody }

type licensesOutput struct {
	Body struct {
		Licenses []licenseBody `json:"licenses" nullable:"false"`
	}
}

type setLicenseInput struct {
	Connection string `path:"connection" maxLength:"63"`
	Body       struct {
		Seats    int64         `json:"seats" minimum:"0" maximum:"10000000"`
		Price    string        `json:"unit_price" doc:"A decimal such as 15.00, exact" maxLength:"32"`
		Currency string        `json:"currency" doc:"ISO 4217, such as EUR" maxLength:"3"`
		Period   schema.Period `json:"period" enum:"month,year"`
		RenewsOn string        `json:"renews_on,omitempty" doc:"YYYY-MM-DD; empty = not said" maxLength:"10"`
	}
}

type licenseReportInput struct {
	Format
	Connection string `query:"connection" doc:"Name of the connection; empty = all" maxLength:"63"`
	Threshold  string `query:"threshold" doc:"How long dormant accounts have been silent, such as 90d" default:"90d" maxLength:"32"`
}

type licenseReportBody struct {
	ReportHeadBody
	Threshold   string           `json:"threshold"`
	Connections []licenseRowBody `json:"connections" nullable:"false"`
}

type licenseRowBody struct {
	Connection  string           `json:"connection"`
	Vendor      string           `json:"vendor"`
	License     *licenseBody     `json:"license" doc:"null = not configured: the vendor tells neither seats nor price"`
	SeatsHeld   int64            `json:"seats_held" doc:"By active, restricted and suspended accounts of people"`
	Active      int64            `json:"active"`
	Restricted  int64            `json:"restricted"`
	Suspended   int64            `json:"suspended" doc:"They keep their seats"`
	Dormant     int64            `json:"dormant" doc:"Of active and restricted: proven silent for the threshold, or never used"`
	Ungraded    int64            `json:"ungraded" doc:"Of active and restricted: it is not known whether they are used"`
	Missing     int64            `json:"missing" doc:"No longer listed; not counted as held"`
	Service     int64            `json:"service" doc:"Hold no seat, as the two below"`
	App         int64            `json:"app"`
	External    int64            `json:"external"`
	Free        *int64           `json:"free" doc:"Bought and not held; null = not configured"`
	Over        *int64           `json:"over" doc:"Held and not bought; null = not configured"`
	Utilisation *float64         `json:"utilisation" doc:"Held of bought; null = not configured, or none was bought"`
	Cost        string           `json:"cost" doc:"Of all seats bought for one period; empty = not configured"`
	Effects     []seatEffectBody `json:"effects" nullable:"false"`
}

type seatEffectBody struct {
	Act       string `json:"act" doc:"suspend_dormant, delete_dormant or delete_suspended"`
	Accounts  int64  `json:"accounts"`
	SeatsNow  int64  `json:"seats_now" doc:"Freed at once; a suspended account keeps its seat"`
	AtRenewal string `json:"saving_at_renewal" doc:"For each period from the renewal on, if that many seats fewer are bought then; empty = not configured"`
}

func (s *server) registerLicenses() {
	handle(s, route{
		id: "list-licenses", method: http.MethodGet, path: "/v1/licenses", roles: readers(), summary: "List what contracts say of seats",
	}, func(ctx context.Context, _ schema.Principal, _ *struct{}) (*licensesOutput, error) {
		list, err := s.store.Licenses(ctx)
		out := &licensesOutput{}
		out.Body.Licenses = []licenseBody{}
		for _, l := range list {
			out.Body.Licenses = append(out.Body.Licenses, licenseOf(l))
		}
		return out, err
	})
	handle(s, route{
		id: "set-license", method: http.MethodPut, path: "/v1/licenses/{connection}", roles: adminsOnly(),
		summary: "Say what the contract says of a connection's seats",
	}, s.setLicense)
	handleReport(s, report[licenseReportInput, licenseReportBody]{
		route:  route{id: "report-licenses", path: "/v1/reports/licenses", summary: "Seats bought, held and dormant, and what each act on them frees"},
		format: func(in *licenseReportInput) Format { return in.Format },
		page: func(ctx context.Context, in *licenseReportInput) (licenseReportBody, error) {
			r, err := s.reportLicenses(ctx, in)
			return licenseReportOf(r), err
		},
		csv: func(ctx context.Context, in *licenseReportInput, w io.Writer) error {
			r, err := s.reportLicenses(ctx, in)
			if err != nil {
				return err
			}
			return writeLicenses(w, r)
		},
	})
}

func (s *server) setLicense(ctx context.Context, by schema.Principal, in *setLicenseInput) (*licenseOutput, error) {
	var f faults
	price, err := schema.ParseMoney(strings.TrimSpace(in.Body.Price), strings.ToUpper(strings.TrimSpace(in.Body.Currency)))
	if err != nil {
		f.add("unit_price", "money", err.Error(), "write it like 15.00 with a currency such as EUR")
	}
	renews, err := schema.ParseDate(in.Body.RenewsOn)
	if err != nil {
		f.add("renews_on", "date", "this is no day of the calendar", "write it like 2027-01-31")
	}
	if err := f.err("the request is not valid"); err != nil {
		return nil, err
	}
	c, err := s.store.ConnectionByName(ctx, in.Connection)
	if err != nil {
		return nil, err
	}
	l, err := s.store.SetLicense(ctx, schema.License{
		ConnectionID: c.ID, Connection: c.Name, Seats: in.Body.Seats, Price: price, Period: in.Body.Period, RenewsOn: renews,
	}, by)
	return &licenseOutput{Body: licenseOf(l)}, err
}

func (s *server) reportLicenses(ctx context.Context, in *licenseReportInput) (schema.LicenseReport, error) {
	threshold, err := readThreshold(in.Threshold)
	if err != nil {
		return schema.LicenseReport{}, err
	}
	id, err := s.connectionID(ctx, in.Connection)
	if err != nil {
		return schema.LicenseReport{}, err
	}
	return s.store.ReportLicenses(ctx, id, threshold, s.now())
}

func licenseOf(l schema.License) licenseBody {
	return licenseBody{
		Connection: l.Connection, Seats: l.Seats, UnitPrice: l.Price.Amount(), UnitPriceMinor: l.Price.Minor, Currency: l.Price.Currency,
		Period: l.Period, RenewsOn: l.RenewsOn.String(), UpdatedBy: l.UpdatedBy, UpdatedAt: l.UpdatedAt.UTC(),
	}
}

func licenseReportOf(r schema.LicenseReport) licenseReportBody {
	b := licenseReportBody{ReportHeadBody: headOf(r.ReportHead), Threshold: intake.FormatDuration(r.Threshold), Connections: []licenseRowBody{}}
	for _, row := range r.Rows {
		b.Connections = append(b.Connections, licenseRowOf(row))
	}
	return b
}

func licenseRowOf(r schema.LicenseRow) licenseRowBody {
	u := r.Use
	b := licenseRowBody{
		Connection: r.Connection, Vendor: r.Vendor, SeatsHeld: u.Held(), Active: u.Active, Restricted: u.Restricted, Suspended: u.Suspended,
		Dormant: u.Dormant, Ungraded: u.Ungraded, Missing: u.Missing, Service: u.Service, App: u.App, External: u.External, Effects: []seatEffectBody{},
	}
	if r.License != nil {
		l, free, over := licenseOf(*r.License), r.Free(), r.Over()
		b.License, b.Free, b.Over, b.Cost = &l, &free, &over, r.License.Price.Times(r.License.Seats).String()
		if r.License.Seats > 0 {
			part := float64(u.Held()) / float64(r.License.Seats)
			b.Utilisation = &part
		}
	}
	for _, e := range r.Effects() {
		effect := seatEffectBody{Act: e.Act, Accounts: e.Accounts, SeatsNow: e.Seats}
		if e.AtRenewal != nil {
			effect.AtRenewal = e.AtRenewal.String()
		}
		b.Effects = append(b.Effects, effect)
	}
	return b
}

// writeLicenses writes one row for each connection.
func writeLicenses(w io.Writer, r schema.LicenseReport) error {
	header := []string{
		"connection", "vendor", "seats_bought", "unit_price", "currency", "period", "renews_on", "seats_held", "active", "restricted", "suspended",
		"dormant", "ungraded", "missing", "service", "app", "external", "free", "over", "utilisation", "cost",
	}
	for _, e := range (schema.LicenseRow{}).Effects() {
		header = append(header, e.Act+"_seats_now", e.Act+"_saving_at_renewal")
	}
	t, err := newCSVTable(w, append(header, ageColumns()...)...)
	if err != nil {
		return err
	}
	for _, row := range r.Rows {
		if err := t.row(append(licenseCells(row), ageCells(r.ReportHead, row.ConnectionID)...)...); err != nil {
			return err
		}
	}
	return t.flush()
}

func licenseCells(r schema.LicenseRow) []string {
	bought, price, currency, period, renews, free, over, part, cost := "", "", "", "", "", "", "", "", ""
	if l := r.License; l != nil {
		bought, price, currency, period, renews = csvInt(l.Seats), l.Price.Amount(), l.Price.Currency, string(l.Period), l.RenewsOn.String()
		free, over, part, cost = csvInt(r.Free()), csvInt(r.Over()), csvShare(r.Use.Held(), l.Seats), l.Price.Times(l.Seats).Amount()
	}
	u := r.Use
	cells := []string{csvText(r.Connection), csvText(r.Vendor), bought, price, currency, period, renews, csvInt(u.Held())}
	for _, n := range []int64{u.Active, u.Restricted, u.Suspended, u.Dormant, u.Ungraded, u.Missing, u.Service, u.App, u.External} {
		cells = append(cells, csvInt(n))
	}
	cells = append(cells, free, over, part, cost)
	for _, e := range r.Effects() {
		saving := ""
		if e.AtRenewal != nil {
			saving = e.AtRenewal.Amount()
		}
		cells = append(cells, csvInt(e.Seats), saving)
	}
	return cells
}
