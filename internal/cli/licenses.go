package cli

import (
	"strconv"

	"sendoff/internal/apiclient"
)

type licenseCommands struct {
	Set  setLicenseCommand   `cmd:"" help:"Say what the contract says of a connection's seats. Needs an admin."`
	List listLicensesCommand `cmd:"" help:"List what contracts say of seats."`
}

type setLicenseCommand struct {
	Connection string `arg:"" help:"Name of the connection."`
	Seats      int64  `required:"" help:"How many seats were bought."`
	Price      string `required:"" placeholder:"AMOUNT" help:"Of one seat for one period, such as 15.00."`
	Currency   string `required:"" help:"ISO 4217, such as EUR."`
	Per        string `required:"" enum:"month,year" help:"What the price is for: month or year."`
	Renews     string `placeholder:"YYYY-MM-DD" help:"When the contract renews: money is saved from then on."`
}

// Run sets a license.
func (c *setLicenseCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	l, err := api.SetLicense(in.ctx, c.Connection, apiclient.NewLicense{Seats: c.Seats, Price: c.Price, Currency: c.Currency, Period: c.Per, RenewsOn: c.Renews})
	if err != nil {
		return err
	}
	return in.result(l, func() {
		in.print("%s: %d seats at %s %s per %s.", l.Connection, l.Seats, l.UnitPrice, l.Currency, l.Period)
	})
}

type listLicensesCommand struct{}

// Run lists licenses.
func (c *listLicensesCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	list, err := api.Licenses(in.ctx)
	if err != nil {
		return err
	}
	return in.result(map[string]any{"licenses": orEmpty(list)}, func() {
		var rows [][]string
		for _, l := range list {
			rows = append(rows, []string{l.Connection, strconv.FormatInt(l.Seats, 10), l.UnitPrice + " " + l.Currency, l.Period, l.RenewsOn, l.UpdatedBy, at(l.UpdatedAt)})
		}
		in.table("CONNECTION|SEATS|PRICE|PER|RENEWS|SET BY|AT", rows)
	})
}
