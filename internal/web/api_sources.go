package web

import (
	"context"
	"net/http"
	"time"

	"sendoff/schema"
)

const (
	defaultOverlap = 24 * time.Hour
	maxOverlap     = 30 * 24 * time.Hour
)

// SourceFields are what people set of a source. What is left out has its default
// in a new source, and stays as it is in another. (Exported, for huma leaves out
// unexported embedded structs.)
type SourceFields struct {
	TimeZone  string            `json:"time_zone,omitempty" doc:"IANA name of the company's zone: it counts where neither person nor site has one; needed in a new source"`
	Template  string            `json:"template,omitempty" doc:"Of the cases it opens; leaver when left out"`
	Receivers []string          `json:"receivers,omitempty" nullable:"false" doc:"Of the cases it opens: logins and rules in order of preference; manager and department-owner when left out"`
	Approvals *int              `json:"approvals,omitempty" doc:"How many must approve each case, 0 to 2; below the template's it does not count"`
	Owner     *string           `json:"owner,omitempty" doc:"E-mail address of who is told of its alarms; empty = nobody"`
	Rhythm    string            `json:"rhythm,omitempty" doc:"How long it may be silent before that is an alarm, such as 7d; 0 = for ever; by the kind when left out"`
	Limit     *limitInput       `json:"limit,omitempty" doc:"How many leavers it may start; 5 or 2 % in 24h when left out"`
	Mapping   *schema.Mapping   `json:"mapping,omitempty" doc:"Where the bodies of its webhooks hold the facts"`
	Signature *schema.Signature `json:"signature,omitempty" doc:"How its webhooks are signed; of the kind hmac"`
	BaseURL   string            `json:"base_url,omitempty" doc:"Of its API, of the kind bamboohr; an API key is forgotten when it changes"`
	PollEvery string            `json:"poll_every,omitempty" doc:"How often its API is asked; of the kind bamboohr; 15m when left out"`
}

type limitInput struct {
	Number  *int   `json:"number,omitempty" doc:"Of leavers; the larger of it and the share counts"`
	Percent *int   `json:"percent,omitempty" doc:"Of those the source tells of who have not left, 0 to 100"`
	Window  string `json:"window,omitempty" doc:"Back from now, 1h to 30d"`
}

// SourceSecretsBody are the secrets of a source: they are never returned.
// (Exported, for huma leaves out unexported embedded structs.)
type SourceSecretsBody struct {
	Secret string `json:"secret,omitempty" writeOnly:"true" doc:"That its webhooks are signed with. Left out for standard-webhooks and hmac, one is made and shown once; without it webhooks of bamboohr are refused"`
	APIKey string `json:"api_key,omitempty" writeOnly:"true" doc:"That its API is asked with; of the kind bamboohr"`
}

type createSourceInput struct {
	Body struct {
		Name string            `json:"name" doc:"It is the source of the employments it tells of, and cannot be changed"`
		Kind schema.SourceKind `json:"kind" doc:"standard-webhooks, bamboohr, hmac, scim or csv"`
		SourceFields
		SourceSecretsBody
	}
}

// SourceName is the path parameter of operations on one source.
type SourceName struct {
	Name string `path:"name" maxLength:"63"`
}

type setSourceInput struct {
	SourceName
	Body struct {
		Version int64 `json:"version,omitempty" doc:"That was looked at; refused when there is another by now. Left out, whatever there is"`
		SourceFields
	}
}

type rotateSourceInput struct {
	SourceName
	Body struct {
		SourceSecretsBody
		Overlap string `json:"overlap,omitempty" doc:"How long the secret before verifies webhooks too, 24h when left out, 30d at most; 0 = not at all, as after a leak"`
	}
}

type sourceStateInput struct {
	SourceName
	Body struct {
		State  schema.ConnectionState `json:"state" enum:"enabled,disabled,removed" doc:"removed forgets the secrets and revokes the tokens"`
		Reason string                 `json:"reason"`
	}
}

type sourceOutput struct{ Body sourceBody }

type sourceWithSecretOutput struct {
	Body struct {
		Source sourceBody `json:"source"`
		Secret string     `json:"secret" doc:"That was made, shown once; empty = none was"`
	}
}

type listSourcesOutput struct {
	Body struct {
		Sources []sourceBody `json:"sources" nullable:"false"`
		Next    string       `json:"next"`
	}
}

func (s *server) registerSources() {
	handle(s, route{
		id: "list-hr-sources", method: http.MethodGet, path: "/v1/hr/sources", roles: readers(), summary: "List sources of HR events by name",
	}, s.listSources)
	handle(s, route{
		id: "create-hr-source", method: http.MethodPost, path: "/v1/hr/sources", roles: adminsOnly(), status: http.StatusCreated,
		summary: "Add a source of HR events",
	}, s.createSource)
	handle(s, route{
		id: "show-hr-source", method: http.MethodGet, path: "/v1/hr/sources/{name}", roles: readers(), summary: "Show a source of HR events",
	}, func(ctx context.Context, _ schema.Principal, in *SourceName) (*sourceOutput, error) {
		return s.sourceOut(s.hr.SourceByName(ctx, in.Name))
	})
	handle(s, route{
		id: "set-hr-source", method: http.MethodPatch, path: "/v1/hr/sources/{name}", roles: adminsOnly(),
		summary: "Change a source of HR events; what is left out stays",
	}, s.setSource)
	handle(s, route{
		id: "rotate-hr-source", method: http.MethodPost, path: "/v1/hr/sources/{name}/secret", roles: adminsOnly(),
		summary: "Replace the secrets of a source; the one before verifies webhooks for a while",
	}, s.rotateSource)
	handle(s, route{
		id: "set-hr-source-state", method: http.MethodPost, path: "/v1/hr/sources/{name}/state", roles: adminsOnly(),
		summary: "Enable, disable or remove a source of HR events",
	}, s.setSourceState)
	handle(s, route{
		id: "poll-hr-source", method: http.MethodPost, path: "/v1/hr/sources/{name}/poll", roles: deciders(),
		summary: "Ask a source's API now, in place of at its time",
	}, func(ctx context.Context, by schema.Principal, in *SourceName) (*sourceOutput, error) {
		return s.sourceOut(s.hr.PollSource(ctx, in.Name, by))
	})
}

func (s *server) sourceOut(src schema.Source, err error) (*sourceOutput, error) {
	if err != nil {
		return nil, err
	}
	return &sourceOutput{Body: s.sourceOf(src)}, nil
}

func (s *server) listSources(ctx context.Context, _ schema.Principal, in *Page) (*listSourcesOutput, error) {
	list, next, err := s.hr.ListSources(ctx, in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &listSourcesOutput{}
	out.Body.Sources, out.Body.Next = listOf(list, s.sourceOf), next
	return out, nil
}

func (s *server) createSource(ctx context.Context, by schema.Principal, in *createSourceInput) (*sourceWithSecretOutput, error) {
	b := in.Body
	src := newSource(b.Kind)
	src.Name = b.Name
	var f faults
	checkName(&f, b.Name)
	if b.Name == schema.ManualSource {
		f.add("name", "reserved", "this is the name of the source of what people say by hand", "choose another name")
	}
	if err := s.readSource(ctx, &f, &src, b.SourceFields); err != nil {
		return nil, err
	}
	secrets, made := readSecrets(&f, src.Kind, b.SourceSecretsBody, true)
	if err := f.err("the source is not valid; nothing was stored"); err != nil {
		return nil, err
	}
	src, err := s.hr.CreateSource(ctx, src, secrets, by)
	return s.sourceWithSecret(src, made, err)
}

func (s *server) sourceWithSecret(src schema.Source, made string, err error) (*sourceWithSecretOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &sourceWithSecretOutput{}
	out.Body.Source, out.Body.Secret = s.sourceOf(src), made
	return out, nil
}

func (s *server) setSource(ctx context.Context, by schema.Principal, in *setSourceInput) (*sourceOutput, error) {
	src, err := s.hr.SourceByName(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	if v := in.Body.Version; v != 0 && v != src.Version {
		return nil, &schema.Error{
			Code: schema.CodeConflict, Message: "the source was changed since it was looked at; nothing was changed",
			Fix: "look at it again: sendoff hr sources show " + src.Name,
		}
	}
	var f faults
	if err := s.readSource(ctx, &f, &src, in.Body.SourceFields); err != nil {
		return nil, err
	}
	if err := f.err("the source is not valid; nothing was changed"); err != nil {
		return nil, err
	}
	return s.sourceOut(s.hr.UpdateSource(ctx, src, by))
}

func (s *server) rotateSource(ctx context.Context, by schema.Principal, in *rotateSourceInput) (*sourceWithSecretOutput, error) {
	src, err := s.hr.SourceByName(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	var f faults
	overlap := defaultOverlap
	f.duration("overlap", in.Body.Overlap, &overlap)
	if overlap > maxOverlap {
		f.add("overlap", "too_long", "the overlap is longer than 30 days", "give at most 30d")
	}
	secrets, made := readSecrets(&f, src.Kind, in.Body.SourceSecretsBody, false)
	if err := f.err("the secrets are not valid; nothing was changed"); err != nil {
		return nil, err
	}
	src, err = s.hr.RotateSource(ctx, src.Name, secrets, overlap, by)
	return s.sourceWithSecret(src, made, err)
}

func (s *server) setSourceState(ctx context.Context, by schema.Principal, in *sourceStateInput) (*sourceOutput, error) {
	reason, err := neededReason(in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return s.sourceOut(s.hr.SetSourceState(ctx, in.Name, in.Body.State, reason, by))
}

// neededReason is a reason without blanks around it; it is refused when nothing
// is left.
func neededReason(text string) (string, error) {
	var f faults
	reason := f.reason(text)
	return reason, f.err("the request is not valid")
}
