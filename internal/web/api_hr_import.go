package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"sendoff/internal/roster"
	"sendoff/schema"
)

const importPath = "/v1/hr/imports"

type importInput struct {
	Body struct {
		Source string            `json:"source" doc:"Name of the source that the file is from"`
		Mode   schema.RosterMode `json:"mode,omitempty" enum:"whole,changes" default:"whole" doc:"whole: all employments of the source, and those left out are marked absent, which ends nothing; changes: some"`
		CSV    string            `json:"csv" doc:"With a header; the columns are those of a roster"`
		DryRun bool              `json:"dry_run,omitempty" doc:"Tell what it would do to employments and write nothing"`
		Again  bool              `json:"again,omitempty" doc:"Apply a file although the same came before, as after a wrong one"`
	}
}

type importOutput struct {
	Body struct {
		Event     *HREventBody `json:"event" doc:"That applies the file; null = a dry run"`
		Duplicate bool         `json:"duplicate" doc:"The same file came before: nothing was done, and the event is the one from then"`
		Ignored   []string     `json:"ignored_columns" nullable:"false"`
		DryRun    *rosterBody  `json:"dry_run" doc:"What it would do to employments; null = not asked for"`
	}
}

func (s *server) registerHRImport() {
	handle(s, route{
		id: "import-hr", method: http.MethodPost, path: importPath, roles: deciders(), body: maxRosterBody,
		summary: "Take over a file of a source of HR events: all of it or nothing",
	}, s.importHR)
}

func (s *server) importHR(ctx context.Context, by schema.Principal, in *importInput) (*importOutput, error) {
	var f faults
	src, err := s.importSource(ctx, &f, strings.TrimSpace(in.Body.Source))
	if err != nil {
		return nil, err
	}
	read := roster.ReadCSV([]byte(in.Body.CSV))
	f.list = append(f.list, read.Problems...)
	if err := f.err("the file cannot be used; nothing was accepted"); err != nil {
		return nil, err
	}
	r := schema.Roster{Source: src.Name, Mode: in.Body.Mode, Employments: read.Employments, Fields: read.Fields, Ignored: read.Ignored}
	out := &importOutput{}
	out.Body.Ignored = nonNil(r.Ignored)
	if in.Body.DryRun {
		done, err := s.store.ImportRoster(ctx, r, true, by)
		if err != nil {
			return nil, err
		}
		shown := rosterOf(r, done)
		out.Body.DryRun = &shown
		return out, nil
	}
	body := []byte(in.Body.CSV)
	got, err := s.hr.AcceptEvent(ctx, schema.HREvent{
		SourceID: src.ID, Source: src.Name, EventID: importID(body, r.Mode, in.Body.Again), Via: schema.ViaImport, Body: body, BodyHash: hexSum(body),
		Change: schema.HRChange{Kind: schema.ChangeEmployments, Roster: &r, Asked: &schema.Asked{Principal: by.Name, TokenID: by.TokenID}},
		State:  schema.EventPending,
	})
	if err != nil {
		return nil, err
	}
	event := hrEventOf(got.Event)
	out.Body.Event, out.Body.Duplicate = &event, got.Duplicate
	return out, nil
}

// importID is the id of a file's event: its hash, so that the same file again is
// known. What a whole roster says is not what changes say.
func importID(body []byte, mode schema.RosterMode, again bool) string {
	id := hexSum(body)
	if mode == schema.RosterChanges {
		id += "-changes"
	}
	if again {
		id += "-" + uuid.NewString()
	}
	return id
}

func hexSum(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// importSource finds the source of a file, or faults it. Identity providers and
// people say what they say in another form.
func (s *server) importSource(ctx context.Context, f *faults, name string) (schema.Source, error) {
	src, err := s.hr.SourceByName(ctx, name)
	switch {
	case schema.CodeOf(err) == schema.CodeNotFound:
		f.add("source", "unknown_source", "there is no source of that name", "add it: sendoff hr sources add "+nameOrNAME(name)+" --kind csv --time-zone ZONE")
		return src, nil
	case err != nil:
		return src, err
	case src.Kind == schema.SourceManual || src.Kind == schema.SourceSCIM:
		f.add("source", "no_files", "sources of the kind "+string(src.Kind)+" tell nothing by files", "name the source that the file is from")
	case src.State != schema.ConnectionEnabled:
		f.add("source", "closed", "the source is "+string(src.State), "enable it: sendoff hr sources enable "+src.Name)
	}
	return src, nil
}

// nameOrNAME is a name that may stand in a command, or its placeholder.
func nameOrNAME(name string) string {
	if nameForm.MatchString(name) {
		return name
	}
	return "NAME"
}
