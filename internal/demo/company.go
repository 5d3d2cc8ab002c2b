package demo

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"
)

// employee is a person of the simulated company, from its control pages.
type employee struct {
	ID        string `json:"id"`
	Login     string `json:"login"`
	Role      string `json:"role"`
	Status    string `json:"status"`
	Service   bool   `json:"service"`
	Items     int    `json:"items"`
	RootItems int    `json:"root_items"`
	Trashed   int    `json:"trashed"`
	Bytes     int64  `json:"bytes"`
}

// leaver is somebody the demo sends off.
type leaver struct {
	employee
	receiver string // login; "" = none
	mode     string // how the simulator answers the transfer; "" = its default
	minutes  int    // of vendor time the transfer takes; 0 = by its size
	story    string
	empty    bool // owns nothing
}

// hire picks leavers and receivers, tells the simulator how to treat each
// transfer, and writes the CSV file that HR would send.
func (d *demo) hire(ctx context.Context) error {
	var company struct {
		Users []employee `json:"users"`
	}
	if err := d.control(ctx, http.MethodGet, "users", nil, &company); err != nil {
		return err
	}
	var owners, idle []employee
	for _, e := range company.Users {
		switch {
		case e.Role != "user" || e.Status != "active" || e.Service:
		case e.Items == 0 && e.Trashed == 0:
			idle = append(idle, e)
		case e.RootItems > 2 && e.Trashed == 0:
			owners = append(owners, e)
		}
	}
	if len(owners) < 9 || len(idle) == 0 {
		return errors.New("the simulated company has too few people for the demo")
	}
	boss := owners[5:]
	d.leavers = []leaver{
		{employee: owners[0], receiver: boss[0].Login, story: "an ordinary leaver"},
		{employee: owners[1], receiver: boss[1].Login, mode: "gateway504", minutes: 20, story: "the call dies with 504 after a minute, and the transfer goes on for 20"},
		{employee: owners[2], receiver: boss[2].Login, mode: "slow200", minutes: 25, story: "the call answers 200 after ten minutes, and the transfer goes on for 15 more"},
		{employee: owners[3], receiver: boss[3].Login, story: "one of two leavers for one receiver"},
		{employee: owners[4], receiver: boss[3].Login, story: "the other of the two: waits for the lane"},
		{employee: idle[0], story: "owns nothing: no receiver needed", empty: true},
	}
	for _, l := range d.leavers {
		if l.mode == "" {
			continue
		}
		order := map[string]any{"user": l.ID, "mode": l.mode, "duration_s": l.minutes * 60}
		if err := d.control(ctx, http.MethodPost, "mode", order, nil); err != nil {
			return err
		}
	}
	return d.writeCSV()
}

func (d *demo) writeCSV() error {
	var file bytes.Buffer
	w := csv.NewWriter(&file)
	lastDay := time.Now().UTC().AddDate(0, 0, -1).Format(time.DateOnly)
	rows := [][]string{{"email", "last_day", "time_zone", "receivers"}}
	for _, l := range d.leavers {
		rows = append(rows, []string{l.Login, lastDay, "Etc/UTC", l.receiver})
	}
	if err := w.WriteAll(rows); err != nil {
		return err
	}
	return os.WriteFile(d.path("leavers.csv"), file.Bytes(), 0o600)
}

// control calls one of the simulator's control pages.
func (d *demo) control(ctx context.Context, method, page string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, d.sim.BaseURL+"/_sim/"+page, bytes.NewReader(body))
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }() // read to its end
	if res.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("the simulator answers %s to %s %s", res.Status, method, page)
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(res.Body).Decode(out)
}
