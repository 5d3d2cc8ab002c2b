package cli

import (
	"bufio"
	"encoding/json"
	"io"
	"os"

	"sendoff/internal/audit"
)

type auditCommands struct {
	Export     exportAuditCommand     `cmd:"" help:"Write the whole audit log as NDJSON."`
	Verify     verifyAuditCommand     `cmd:"" help:"Verify an export offline, or the server's log when no file is named."`
	Checkpoint checkpointAuditCommand `cmd:"" help:"Verify the server's log and write its newest signed checkpoint, to be kept elsewhere."`
}

type exportAuditCommand struct {
	To string `placeholder:"FILE" help:"Where to write; stdout when left out."`
}

// Run exports the log. With --to the file appears only when it is whole.
func (c *exportAuditCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	if c.To == "" {
		return api.ExportAudit(in.ctx, in.stdout)
	}
	part := c.To + ".part"
	f, err := os.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return usage("the export cannot be written: "+err.Error(), "name a file in a directory you may write to")
	}
	err = api.ExportAudit(in.ctx, f)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(part, c.To)
	}
	if err != nil {
		_ = os.Remove(part)
		return err
	}
	return in.result(map[string]string{"file": c.To}, func() { in.print("Exported to %s.", c.To) })
}

type verifyAuditCommand struct {
	File         string `arg:"" optional:"" help:"An export; without one the server's log is exported and verified."`
	Key          string `help:"The log's verifier key, kept from earlier. Needed with a file."`
	Since        string `placeholder:"FILE" help:"A signed checkpoint kept from earlier: the log must continue it. Without one a cut tail cannot be seen."`
	CheckpointTo string `placeholder:"FILE" help:"Keep the newest signed checkpoint here, for --since the next time."`
}

type verified struct {
	audit.Report
	OK  bool   `json:"ok"`
	Key string `json:"key"`
	// KeyGiven is false when the key came with the log itself.
	KeyGiven bool `json:"key_given"`
	// Continues is true when the log was compared with an earlier checkpoint and
	// continues it. Without one, a log whose tail was cut looks like a shorter one.
	Continues bool `json:"continues"`
}

// Run verifies. Its exit code is 1 when anything is wrong with the log.
func (c *verifyAuditCommand) Run(in *invocation) error {
	if c.File != "" && c.Key == "" {
		return usage("a file is verified with the key you trust", "give it with --key; the server shows its own with: sendoff audit verify")
	}
	out, err := c.verify(in)
	if err != nil {
		return err
	}
	if err := c.keep(out); err != nil {
		return err
	}
	_ = in.result(out, func() { in.printVerified(out) })
	if !out.OK {
		return exitStatus(ExitInternal)
	}
	return nil
}

// verify reads the file named, or the server's log, and judges it.
func (c *verifyAuditCommand) verify(in *invocation) (verified, error) {
	out := verified{Key: c.Key, KeyGiven: c.Key != ""}
	file, cleanup, err := c.open(in)
	if err != nil {
		return out, err
	}
	defer cleanup()
	if out.Key == "" {
		if out.Key, err = headerKey(file); err != nil {
			return out, err
		}
	}
	since, err := readCheckpoint(c.Since, out.Key)
	if err != nil {
		return out, err
	}
	out.Report, err = audit.Verify(file, out.Key, since)
	if err != nil {
		return out, usage(err.Error(), "give an export of sendoff audit export, and the key of its log")
	}
	out.OK = out.Report.OK()
	out.Continues = out.OK && since != nil
	return out, nil
}

func (c *verifyAuditCommand) open(in *invocation) (*os.File, func(), error) {
	if c.File != "" {
		f, err := os.Open(c.File)
		if err != nil {
			return nil, nil, usage("the export cannot be read: "+err.Error(), "name a file made by sendoff audit export")
		}
		return f, func() { _ = f.Close() }, nil
	}
	api, err := in.client()
	if err != nil {
		return nil, nil, err
	}
	f, err := os.CreateTemp("", "sendoff-audit-*.ndjson")
	if err != nil {
		return nil, nil, err
	}
	cleanup := func() { _ = f.Close(); _ = os.Remove(f.Name()) }
	if err := api.ExportAudit(in.ctx, f); err != nil {
		cleanup()
		return nil, nil, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		cleanup()
		return nil, nil, err
	}
	return f, cleanup, nil
}

// headerKey reads the key that an export names for itself, and rewinds.
func headerKey(f *os.File) (string, error) {
	line, err := bufio.NewReader(f).ReadBytes('\n')
	var header struct {
		Key string `json:"key"`
	}
	if err != nil || json.Unmarshal(line, &header) != nil || header.Key == "" {
		return "", usage("the server's export names no key", "check that SENDOFF_URL is a sendoff server of this version")
	}
	_, err = f.Seek(0, io.SeekStart)
	return header.Key, err
}

func readCheckpoint(file, key string) (*audit.Checkpoint, error) {
	if file == "" {
		return nil, nil //nolint:nilnil // no checkpoint was asked for
	}
	signed, err := os.ReadFile(file)
	if err != nil {
		return nil, usage("the checkpoint cannot be read: "+err.Error(), "name a file kept with --checkpoint-to")
	}
	c, err := audit.OpenCheckpoint(signed, key)
	if err != nil {
		return nil, usage(err.Error(), "give the checkpoint and the key of the same log")
	}
	return &c, nil
}

// keep stores the newest checkpoint of a log that verifies.
func (c *verifyAuditCommand) keep(v verified) error {
	if c.CheckpointTo == "" || !v.OK || v.LatestNote == "" {
		return nil
	}
	return os.WriteFile(c.CheckpointTo, []byte(v.LatestNote), 0o600)
}

type checkpointAuditCommand struct {
	To    string `placeholder:"FILE" help:"Where to write; stdout when left out."`
	Key   string `help:"The log's verifier key, kept from earlier; without it the server's own is believed."`
	Since string `placeholder:"FILE" help:"A signed checkpoint kept from earlier: the log must continue it."`
}

// Run writes the checkpoint as it was signed, for audit verify --since. A log
// that does not verify gives none: it would be taken for a good one later.
func (c *checkpointAuditCommand) Run(in *invocation) error {
	v, err := (&verifyAuditCommand{Key: c.Key, Since: c.Since}).verify(in)
	if err != nil {
		return err
	}
	if !v.OK {
		for _, p := range v.Problems {
			in.note("  wrong: %s", p)
		}
		in.note("The audit log does not verify: no checkpoint was written.")
		return exitStatus(ExitInternal)
	}
	if !v.KeyGiven {
		in.note("Signed by %s. Keep the key as well.", v.Key)
	}
	if c.To == "" {
		_, err := io.WriteString(in.stdout, v.LatestNote)
		return err
	}
	if err := os.WriteFile(c.To, []byte(v.LatestNote), 0o600); err != nil {
		return usage("the checkpoint cannot be written: "+err.Error(), "name a file in a directory you may write to")
	}
	return in.result(map[string]any{"file": c.To, "size": v.Latest.Size, "key": v.Key}, func() {
		in.print("Checkpoint of %d records in %s.", v.Latest.Size, c.To)
	})
}

func (in *invocation) printVerified(v verified) {
	in.print("records      %d in %d streams", v.Records, v.Streams)
	in.print("sealed       %d under %d signed checkpoints", v.Sealed, v.Checkpoints)
	in.print("not sealed   %d (chained; the next checkpoint covers them)", v.Unsealed)
	in.print("key          %s", v.Key)
	if v.Latest != nil {
		in.print("newest       %d leaves at %s", v.Latest.Size, at(v.Latest.Time))
	}
	for _, p := range v.Problems {
		in.print("  wrong: %s", p)
	}
	if v.OK {
		in.print("The audit log verifies.")
	} else {
		in.print("The audit log does NOT verify: %d problems.", v.ProblemCount)
	}
	if v.OK && !v.Continues {
		in.print("What was cut off behind the newest checkpoint cannot be seen: keep it with --checkpoint-to, and give it with --since the next time.")
	}
	if !v.KeyGiven {
		in.note("The key came from the server itself. Keep it elsewhere and give it with --key, so that nobody can exchange both.")
	}
}
