package cli

import (
	"os"
	"regexp"
	"strings"

	"sendoff/internal/apiclient"
	"sendoff/internal/evidence"
	"sendoff/schema"
)

type verifyEvidenceCommand struct {
	File string `arg:"" help:"Evidence in JSON, as review export wrote it."`
	Hash string `placeholder:"SHA256" help:"The hash that the signature has; review show prints it, and the audit log has it."`
}

var sha256Text = regexp.MustCompile(`^[0-9A-Fa-f]{64}$`)

// verifiedEvidence is what a file of evidence comes to.
type verifiedEvidence struct {
	File     string `json:"file"`
	Campaign string `json:"campaign"`
	Review   string `json:"review"`
	Version  int    `json:"version"`
	Signed   bool   `json:"signed"`
	SignedBy string `json:"signed_by"`
	Items    int    `json:"items"`
	Hash     string `json:"hash"`     // of everything but the time of the export
	Compared bool   `json:"compared"` // with the hash that was given
	OK       bool   `json:"ok"`
}

// Run computes the hash of exported evidence. It ends with ExitHashDiffers when that
// is not the one given.
func (c *verifyEvidenceCommand) Run(in *invocation) error {
	v, err := c.verify()
	if err != nil {
		return err
	}
	_ = in.result(v, func() {
		signed := "NOT signed: a draft of what there was when it was exported"
		if v.Signed {
			signed = "signed by " + v.SignedBy
		}
		in.print("evidence  of campaign %s of %s version %d, %d items", v.Campaign, v.Review, v.Version, v.Items)
		in.print("state     %s", signed)
		in.print("sha-256   %s", v.Hash)
		switch {
		case !v.Compared:
			in.print("Compare it with the hash that the signature has: --hash. A hash that came with the file proves nothing.")
		case v.OK:
			in.print("It is the hash that was given.")
		default:
			in.print("It is NOT the hash that was given: the file is of another campaign, or was changed.")
		}
	})
	if !v.OK {
		return exitStatus(ExitHashDiffers)
	}
	return nil
}

func (c *verifyEvidenceCommand) verify() (verifiedEvidence, error) {
	v := verifiedEvidence{File: c.File, Compared: c.Hash != "", OK: true}
	if v.Compared && !sha256Text.MatchString(strings.TrimSpace(c.Hash)) {
		return v, usage("--hash is no SHA-256: it has 64 digits of 0 to 9 and a to f", "copy the whole hash from review show, or from the audit log")
	}
	f, err := os.Open(c.File)
	if err != nil {
		return v, usage("the file "+c.File+" cannot be read", "check the path and its permissions")
	}
	defer f.Close()
	e, err := evidence.Read(f)
	if err == nil {
		v.Hash, err = evidence.Hash(e)
	}
	if schema.CodeOf(err) == schema.CodeInvalid {
		return v, unusable(err)
	}
	if err != nil {
		return v, err
	}
	v.Campaign, v.Review, v.Version = string(e.Campaign.ID), e.Campaign.Review, e.Campaign.Version
	v.Signed, v.SignedBy, v.Items = e.Signed, e.Campaign.SignedBy, len(e.Items)
	if v.Compared {
		v.OK = strings.EqualFold(strings.TrimSpace(c.Hash), v.Hash)
	}
	return v, nil
}

// unusable is an error of a file that was read here, as the server would say it.
func unusable(err error) error {
	e := &apiclient.Error{Code: apiclient.CodeUsage, Message: err.Error()}
	if said, ok := err.(*schema.Error); ok { //nolint:errorlint // readers return it unwrapped
		e.Message, e.Fix, e.Problems = said.Message, said.Fix, problemsOf(said.Problems)
	}
	return e
}
