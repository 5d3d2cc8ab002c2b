package web

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"sendoff/schema"
)

// Format is how a report is asked for. (Exported, for the framework reads no
// parameters from embedded types that are not.)
type Format struct {
	Format string `query:"format" enum:"json,csv" doc:"json or csv; empty = as the Accept header says"`
	Accept string `header:"Accept" hidden:"true"`
}

func (f Format) csv() bool {
	return f.Format == "csv" || (f.Format == "" && strings.HasPrefix(f.Accept, "text/csv"))
}

// ReportHeadBody is what every report begins with.
type ReportHeadBody struct {
	At       time.Time      `json:"report_at"`
	Datasets []datasetBody  `json:"datasets" nullable:"false" doc:"How old what the report is told from is; what is not collected, and why"`
	Coverage []coverageBody `json:"coverage" nullable:"false" doc:"What silence is judged by"`
}

type coverageBody struct {
	Connection  string                `json:"connection"`
	Source      schema.ActivitySource `json:"source" doc:"Empty = no activity is collected"`
	CoveredFrom *time.Time            `json:"covered_from"`
	CoveredTo   *time.Time            `json:"covered_to"`
}

func headOf(h schema.ReportHead) ReportHeadBody {
	b := ReportHeadBody{At: h.At.UTC(), Datasets: datasetsOf(h.Datasets), Coverage: []coverageBody{}}
	for _, c := range h.Bases {
		b.Coverage = append(b.Coverage, coverageBody{
			Connection: c.Connection, Source: c.Source, CoveredFrom: instant(c.Covered.From), CoveredTo: instant(c.Covered.To),
		})
	}
	return b
}

// report is one report: as a page of JSON, and whole as CSV.
type report[I, O any] struct {
	route
	format func(*I) Format
	page   func(context.Context, *I) (O, error)
	csv    func(context.Context, *I, io.Writer) error
}

// handleReport registers a report, which every reader may have.
func handleReport[I, O any](s *server, r report[I, O]) {
	r.method, r.roles = http.MethodGet, readers()
	handle(s, r.route, func(ctx context.Context, _ schema.Principal, in *I) (*huma.StreamResponse, error) {
		if r.format(in).csv() {
			return &huma.StreamResponse{Body: func(c huma.Context) {
				stream(c, csvType, r.id+".csv", func(ctx context.Context, w io.Writer) error { return r.csv(ctx, in, w) })
			}}, nil
		}
		out, err := r.page(ctx, in)
		if err != nil {
			return nil, err
		}
		return &huma.StreamResponse{Body: func(c huma.Context) {
			c.SetHeader("Content-Type", "application/json")
			c.SetStatus(http.StatusOK)
			_ = json.NewEncoder(c.BodyWriter()).Encode(out) // the caller may be gone
		}}, nil
	})
	body := s.api.OpenAPI().Components.Schemas.Schema(typeOf[O](), true, "")
	s.api.OpenAPI().Paths[r.path].Get.Responses["200"].Content = map[string]*huma.MediaType{
		"application/json": {Schema: body}, "text/csv": {Schema: &huma.Schema{Type: "string"}},
	}
}

func (s *server) registerReports() {
	s.registerLicenses()
	s.registerUsage()
	s.registerInactive()
	s.registerOrphans()
	s.registerChangeReport()
}

// everyRow follows the pages of a report and writes them as a table.
func everyRow(t *csvTable, page func(after string) (next string, err error)) error {
	for after := ""; ; {
		next, err := page(after)
		if err != nil {
			return err
		}
		if err := t.flush(); err != nil || next == "" {
			return err
		}
		after = next
	}
}

// csvPage is how many rows of a table are read at once.
const csvPage = 500
