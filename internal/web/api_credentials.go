package web

import (
	"context"
	"errors"
	"slices"
	"strings"

	"sendoff/schema"
)

// maxConfigFile bounds a vendor's configuration file, in characters.
const maxConfigFile = 64 << 10

// readConnection checks the configuration and reports every fault at once.
func (s *server) readConnection(b connectBody) (schema.Connection, error) {
	var f faults
	checkName(&f, b.Name)
	known := s.knowsVendor(&f, b.Vendor)
	base := checkAPIRoot(&f, b.BaseURL)
	token := checkURL(&f, "token_url", b.TokenURL)
	c := schema.Connection{
		Name: b.Name, Vendor: b.Vendor, State: schema.ConnectionEnabled, ReadOnly: b.ReadOnly, BaseURL: base, TokenURL: token,
		AuthKind: schema.AuthClientCredentials, ClientID: strings.TrimSpace(b.ClientID), EnterpriseID: strings.TrimSpace(b.EnterpriseID), AsUser: b.AsUser,
		Owner: checkOwner(&f, b.Owner),
	}
	checkText(&f, "client_id", b.ClientID, maxField)
	checkText(&f, "enterprise_id", b.EnterpriseID, maxField)
	checkText(&f, "as_user", string(b.AsUser), maxField)
	s.readSecret(&f, &c, b.SecretBody, known)
	if b.ConfigFile == "" { // which names both, or is faulted itself
		f.required("client_id", c.ClientID, "give the client id of the vendor's application")
		f.required("enterprise_id", c.EnterpriseID, "give the id of the enterprise whose accounts these are")
	}
	return c, f.err("the connection is not valid; nothing was stored")
}

func (s *server) knowsVendor(f *faults, vendor string) bool {
	known := slices.Contains(s.checker.Vendors(), vendor)
	if !known {
		f.add("vendor", "unknown_vendor", "there is no connector of that type", "use one of "+strings.Join(s.checker.Vendors(), ", "))
	}
	return known
}

// checkAPIRoot accepts the URL that all versions of an API are below.
func checkAPIRoot(f *faults, raw string) string {
	base := checkURL(f, "base_url", raw)
	if strings.HasSuffix(base, "/2.0") {
		f.add("base_url", "url", "this is the root of one version of the API", "give the API's root, such as https://api.box.com, without /2.0")
	}
	return base
}

// readSecret checks what a connection signs in with, and takes from a
// configuration file what else it says. Values given beside it must agree.
func (s *server) readSecret(f *faults, c *schema.Connection, b SecretBody, known bool) {
	checkText(f, "client_secret", b.ClientSecret, maxField)
	if b.ConfigFile == "" {
		f.required("client_secret", b.ClientSecret, "give the client secret of the vendor's application, or its configuration file")
		return
	}
	if b.ClientSecret != "" {
		f.add("client_secret", "ambiguous", "there are a client secret and a configuration file", "give one of the two")
	}
	if !known || len([]rune(b.ConfigFile)) > maxConfigFile {
		if known {
			f.add("config_file", "too_long", "longer than 64 Ki characters", "give the file that the vendor made")
		}
		return
	}
	file, err := s.checker.ReadConfigFile(c.Vendor, b.ConfigFile)
	if err != nil {
		f.merge("config_file", err)
	}
	agree := func(field string, have *string, said string) {
		if *have != "" && said != "" && *have != said {
			f.add(field, "contradiction", "differs from what the configuration file says", "leave it out, or give the file that belongs to it")
		}
		if said != "" {
			*have = said
		}
	}
	agree("client_id", &c.ClientID, file.ClientID)
	agree("enterprise_id", &c.EnterpriseID, file.EnterpriseID)
	c.AuthKind = file.AuthKind
}

// required adds a fault when a value is missing.
func (f *faults) required(field, value, fix string) {
	if strings.TrimSpace(value) == "" {
		f.add(field, "required", "missing", fix)
	}
}

// merge adds the faults that another part found.
func (f *faults) merge(field string, err error) {
	var e *schema.Error
	if !errors.As(err, &e) {
		f.add(field, "invalid", "it could not be read", "give the file that the vendor made")
		return
	}
	if len(e.Problems) == 0 {
		f.add(field, "invalid", e.Message, e.Fix)
	}
	for _, p := range e.Problems {
		f.add(p.Where, p.Code, p.Message, p.Fix)
	}
}

// rotateConnection replaces a connection's credentials. The new ones must act as
// the same subject in the same enterprise, or running cases would go on as
// somebody else; they are proven at the vendor before the old ones are dropped.
func (s *server) rotateConnection(ctx context.Context, by schema.Principal, in *rotateInput) (*connectOutput, error) {
	before, err := s.store.ConnectionByName(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	if before.AuthKind == schema.AuthCode {
		return nil, &schema.Error{
			Code: schema.CodeRefused, Message: "connection " + before.Name + " signs in by a person's consent, which has no credentials to rotate",
			Fix: "consent anew: sendoff connect " + before.Vendor + " --browser --renew " + before.Name,
		}
	}
	if err := refuseDisabled(before); err != nil {
		return nil, err
	}
	c := before
	if in.Body.ConfigFile == "" {
		c.AuthKind = schema.AuthClientCredentials
	} else {
		c.ClientID = "" // the file names its application
	}
	var f faults
	s.readSecret(&f, &c, in.Body, true)
	if err := f.err("the credentials are not valid; nothing was changed"); err != nil {
		return nil, err
	}
	if c.AsUser == "" && c.ClientID != before.ClientID {
		return nil, &schema.Error{
			Code:    schema.CodeRefused,
			Message: "the credentials are of another application, whose service account is somebody else",
			Fix:     "give new credentials of application " + before.ClientID + ", or remove the connection and connect again",
		}
	}
	if err := refuseDisabled(c); err != nil {
		return nil, err
	}
	d, err := s.examine(ctx, c, in.Body.secret())
	if err != nil {
		return nil, err
	}
	if c.AsUser != "" && d.Identity.ExternalID != c.AsUser {
		return nil, &schema.Error{
			Code: schema.CodeRefused, Message: "the credentials act as " + quoteID(string(d.Identity.ExternalID)) + ", not as " + string(c.AsUser),
			Fix: "give credentials that may act as that user",
		}
	}
	if c, err = s.store.RotateConnection(ctx, c, in.Body.secret(), by); err != nil {
		return nil, err
	}
	s.keep(ctx, &c, d)
	return connected(c, d), nil
}
