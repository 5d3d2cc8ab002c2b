package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// value is a number with its unit and what it is.
type value struct {
	Number float64 `json:"number"`
	Unit   string  `json:"unit"`
	What   string  `json:"what,omitempty"`
}

func (v *value) String() string {
	if v == nil {
		return "-"
	}
	return number(v.Number) + " " + v.Unit
}

func number(n float64) string {
	switch {
	case math.Abs(n) >= 100 || n == math.Trunc(n):
		return fmt.Sprintf("%.0f", n)
	case math.Abs(n) >= 10:
		return fmt.Sprintf("%.1f", n)
	}
	return fmt.Sprintf("%.2f", n)
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// figure is one row. Its aim is held against the ratio, or where AimOnOurs is set
// against ours.
type figure struct {
	Name      string   `json:"figure"`
	Ours      value    `json:"ours"`
	Baseline  *value   `json:"baseline,omitempty"`
	Ratio     *float64 `json:"ratio,omitempty"`
	Aim       *float64 `json:"aim,omitempty"`
	AimOnOurs bool     `json:"aim_on_ours,omitempty"`
	Met       *bool    `json:"met,omitempty"`
	Command   string   `json:"command"`
	Notes     []string `json:"notes,omitempty"`
}

// against sets the baseline and the ratio to it.
func (f figure) against(v value) figure {
	f.Baseline = &v
	if v.Number > 0 {
		ratio := f.Ours.Number / v.Number
		f.Ratio = &ratio
	}
	return f
}

// ratioAim is met by a ratio that is no larger.
func (f figure) ratioAim(aim float64) figure {
	f.Aim = &aim
	met := f.Ratio != nil && *f.Ratio <= aim
	f.Met = &met
	return f
}

// oursAim is met by a figure that is no larger.
func (f figure) oursAim(aim float64) figure {
	met := f.Ours.Number <= aim
	f.Aim, f.AimOnOurs, f.Met = &aim, true, &met
	return f
}

func (f figure) note(format string, args ...any) figure {
	f.Notes = append(slices.Clone(f.Notes), fmt.Sprintf(format, args...))
	return f
}

func show(w io.Writer, output string, figures []figure) error {
	if output == "json" {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(map[string]any{"figures": append([]figure{}, figures...)})
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "figure\tours\tbaseline\tratio\taim\tmet")
	for _, f := range figures {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", f.Name, f.Ours.String(), f.Baseline.String(), f.ratio(), f.aim(), f.met())
	}
	if err := table.Flush(); err != nil {
		return err
	}
	command := ""
	for _, f := range figures {
		if f.Command != command {
			command = f.Command
			fmt.Fprintf(w, "\n$ %s\n", command)
		}
		fmt.Fprintf(w, "  %s: %s", f.Name, f.Ours.What)
		if f.Baseline != nil {
			fmt.Fprintf(w, "; baseline: %s", f.Baseline.What)
		}
		fmt.Fprintln(w)
		for _, n := range f.Notes {
			fmt.Fprintln(w, "    "+strings.ReplaceAll(n, "\n", "\n    "))
		}
	}
	return nil
}

func (f figure) ratio() string {
	if f.Ratio == nil {
		return "-"
	}
	return fmt.Sprintf("%.2f", *f.Ratio)
}

func (f figure) aim() string {
	switch {
	case f.Aim == nil:
		return "-"
	case f.AimOnOurs:
		return "<= " + number(*f.Aim) + " " + f.Ours.Unit
	}
	return "ratio <= " + number(*f.Aim)
}

func (f figure) met() string {
	switch {
	case f.Met == nil:
		return "-"
	case *f.Met:
		return "yes"
	}
	return "no"
}

// percentile is the smallest of the sorted values that p percent do not exceed.
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, max(0, (len(sorted)*p+99)/100-1))]
}
