package web

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"sendoff/internal/hooks"
	"sendoff/internal/intake"
	"sendoff/schema"
)

const (
	defaultPoll = 15 * time.Minute
	minPoll     = time.Minute
	maxPoll     = 24 * time.Hour
	minRhythm   = 5 * time.Minute
	maxRhythm   = 366 * 24 * time.Hour
	minWindow   = time.Hour
	maxWindow   = 30 * 24 * time.Hour
	maxLimit    = 1_000_000

	// whsec is how Standard Webhooks 1.0.0 writes a secret: base64 of 24 to 64 bytes.
	whsec          = "whsec_"
	minSecretBytes = 24
	maxSecretBytes = 64
	newSecretBytes = 32
)

// newSource has the defaults of a kind. A source that is polled, or sends at each
// change, is heard of within days; nobody knows how often files come.
func newSource(kind schema.SourceKind) schema.Source {
	src := schema.Source{
		Kind: kind, State: schema.ConnectionEnabled, Template: defaultTemplate,
		Receivers: []string{schema.ReceiverManager, schema.ReceiverDepartmentOwner}, Limit: schema.DefaultStartLimit(),
	}
	switch kind {
	case schema.SourceBambooHR:
		src.PollEvery, src.Rhythm = defaultPoll, 24*time.Hour
	case schema.SourceStandardWebhooks, schema.SourceHMAC, schema.SourceSCIM:
		src.Rhythm = 7 * 24 * time.Hour
	}
	return src
}

// readSource lays what people set over a source and checks all of it.
func (s *server) readSource(ctx context.Context, f *faults, src *schema.Source, b SourceFields) error {
	if !slices.Contains(append(schema.SourceKinds(), schema.SourceManual), src.Kind) || (src.Kind == schema.SourceManual && src.ID == "") {
		f.add("kind", "unknown_kind", "a source cannot be made of that kind", "use standard-webhooks, bamboohr, hmac, scim or csv")
	}
	if b.TimeZone != "" || src.TimeZone == "" {
		src.TimeZone = f.zone("time_zone", b.TimeZone, true)
	}
	if err := s.readCases(ctx, f, src, b); err != nil {
		return err
	}
	if b.Owner != nil {
		src.Owner = checkOwner(f, *b.Owner)
	}
	readRhythm(f, src, b)
	readLimit(f, &src.Limit, b.Limit)
	readPoll(f, src, b)
	readMapping(f, src, b)
	return nil
}

// zone reads the name of an IANA zone.
func (f *faults) zone(field, name string, needed bool) string {
	name = strings.TrimSpace(name)
	switch {
	case name == "" && needed:
		f.add(field, "required", "missing", "give an IANA name such as Europe/Berlin")
	case name != "":
		if _, err := intake.ParseZone(name); err != nil {
			f.add(field, "zone", err.Error(), "see the names at iana.org/time-zones")
		}
	}
	return name
}

// readCases reads what the source's cases are made of. Receivers that nobody
// named are left out of a template that transfers nothing.
func (s *server) readCases(ctx context.Context, f *faults, src *schema.Source, b SourceFields) error {
	if name := strings.TrimSpace(b.Template); name != "" {
		src.Template = name
	}
	templates, err := s.templatesOf(ctx, []requestBody{{Template: src.Template}})
	if err != nil {
		return err
	}
	r := requestReader{faults: f, templates: templates}
	t := r.template(src.Template)
	switch {
	case b.Receivers != nil:
		src.Receivers = r.receivers(b.Receivers, t)
	case t.Name != "" && !t.Has(schema.StepTransfer):
		src.Receivers = nil
	}
	if b.Approvals != nil {
		src.Approvals = *b.Approvals
	}
	if src.Approvals < 0 || src.Approvals > maxApprovals {
		f.add("approvals", "out_of_range", "the number of approvals is not 0, 1 or 2", "give 0, 1 or 2")
	}
	return nil
}

func readRhythm(f *faults, src *schema.Source, b SourceFields) {
	f.duration("rhythm", b.Rhythm, &src.Rhythm)
	if src.Rhythm != 0 {
		f.between("rhythm", src.Rhythm, minRhythm, maxRhythm)
	}
	if src.Kind == schema.SourceManual && src.Rhythm != 0 {
		f.add("rhythm", "no_rhythm", "people speak when they want to", "leave it out")
	}
}

func readLimit(f *faults, l *schema.StartLimit, b *limitInput) {
	if b == nil {
		return
	}
	if b.Number != nil {
		l.Number = *b.Number
	}
	if b.Percent != nil {
		l.Percent = *b.Percent
	}
	f.duration("limit.window", b.Window, &l.Window)
	if l.Number < 0 || l.Number > maxLimit {
		f.add("limit.number", "out_of_range", fmt.Sprintf("the number is not between 0 and %d", maxLimit), "give how many leavers may start within the window, such as 5")
	}
	if l.Percent < 0 || l.Percent > 100 {
		f.add("limit.percent", "out_of_range", "the share is not between 0 and 100", "give a whole number of percent, such as 2")
	}
	f.between("limit.window", l.Window, minWindow, maxWindow)
}

// between refuses a duration out of its range.
func (f *faults) between(field string, d, least, most time.Duration) {
	if d < least || d > most {
		text := intake.FormatDuration(least) + " to " + intake.FormatDuration(most)
		f.add(field, "out_of_range", "the duration is not within "+text, "give one of "+text)
	}
}

// readPoll reads where and how often the source's API is asked.
func readPoll(f *faults, src *schema.Source, b SourceFields) {
	if src.Kind != schema.SourceBambooHR {
		f.unasked("base_url", b.BaseURL)
		f.unasked("poll_every", b.PollEvery)
		return
	}
	if b.BaseURL != "" || src.BaseURL == "" {
		src.BaseURL = checkURL(f, "base_url", b.BaseURL)
	}
	f.duration("poll_every", b.PollEvery, &src.PollEvery)
	f.between("poll_every", src.PollEvery, minPoll, maxPoll)
	if src.Rhythm != 0 && src.Rhythm < 2*src.PollEvery {
		f.add("rhythm", "below_poll", "an alarm would come between two polls", "give two poll intervals at least")
	}
}

// unasked refuses what is of sources whose API is asked.
func (f *faults) unasked(field, text string) {
	if text != "" {
		f.add(field, "no_api", "sources of this kind are not asked", "leave it out")
	}
}

// readMapping reads how webhooks are read and proven. A mapping without fields
// takes away the one there is.
func readMapping(f *faults, src *schema.Source, b SourceFields) {
	if b.Mapping != nil {
		src.Mapping = b.Mapping
		if len(b.Mapping.Fields) == 0 && b.Mapping.List == "" {
			src.Mapping = nil
		}
	}
	if b.Signature != nil {
		src.Signature = b.Signature
	}
	f.list = append(f.list, hooks.CheckSource(*src)...)
}

// readSecrets checks secrets and makes the one that is missing where that is ours
// to do, not the vendor's; made is shown once.
func readSecrets(f *faults, kind schema.SourceKind, b SourceSecretsBody, fresh bool) (secrets schema.SourceSecrets, made string) {
	secrets = schema.SourceSecrets{Current: strings.TrimSpace(b.Secret), APIKey: strings.TrimSpace(b.APIKey)}
	if !pushes(kind) {
		if secrets != (schema.SourceSecrets{}) || !fresh {
			f.add("secret", "no_secret", "sources of the kind "+string(kind)+" have no secret", "leave it out; tokens of SCIM are made with: sendoff hr tokens create")
		}
		return secrets, ""
	}
	checkText(f, "secret", b.Secret, maxField)
	checkText(f, "api_key", b.APIKey, maxField)
	if kind == schema.SourceBambooHR {
		checkBambooSecrets(f, secrets, fresh)
		return secrets, ""
	}
	f.unasked("api_key", secrets.APIKey)
	if secrets.Current == "" {
		secrets.Current = newSecret()
		return secrets, secrets.Current
	}
	checkSigningSecret(f, kind, secrets.Current)
	return secrets, ""
}

// checkBambooSecrets: a new source needs a key of the API, which says what hints
// do not; webhooks are refused without a secret. A rotation needs one of them.
func checkBambooSecrets(f *faults, s schema.SourceSecrets, fresh bool) {
	switch {
	case fresh:
		f.required("api_key", s.APIKey, "give a key of BambooHR's API whose owner may see termination dates")
	case s == (schema.SourceSecrets{}):
		f.required("secret", s.Current, "give the private key that BambooHR showed when its webhook was made, or an API key")
	}
	if s.Current != "" {
		checkSigningSecret(f, schema.SourceBambooHR, s.Current)
	}
}

// checkSigningSecret refuses what could be guessed, and of Standard Webhooks what
// its specification does not allow.
func checkSigningSecret(f *faults, kind schema.SourceKind, secret string) {
	if kind != schema.SourceStandardWebhooks {
		f.list = append(f.list, hooks.CheckSecret(kind, secret)...)
		return
	}
	text, prefixed := strings.CutPrefix(secret, whsec)
	key, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if !prefixed || err != nil || len(key) < minSecretBytes || len(key) > maxSecretBytes {
		f.add("secret", "secret_form", "not whsec_ and the base64 of 24 to 64 bytes", "give the secret as the sender shows it, or leave it out to have one made")
	}
}

// newSecret makes a secret in the form of Standard Webhooks.
func newSecret() string {
	var b [newSecretBytes]byte
	_, _ = rand.Read(b[:]) // never fails; it stops the program instead
	return whsec + base64.StdEncoding.EncodeToString(b[:])
}
