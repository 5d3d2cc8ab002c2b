package cli_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/tlog"

	"sendoff/internal/audit"
	"sendoff/internal/cli"
)

// exportedLog is the export of a log that the product wrote, with the key and two
// checkpoints that an auditor keeps.
type exportedLog struct {
	b          *bundle
	file       []byte
	key        string
	old, newer string // files with signed checkpoints
}

func newExportedLog(t *testing.T) *exportedLog {
	t.Helper()
	b, _, sealer := setupStore(t)
	l := &exportedLog{b: b, old: filepath.Join(t.TempDir(), "old"), newer: filepath.Join(t.TempDir(), "newer")}
	work := func(pairs int) {
		for range pairs {
			require.Zero(t, b.run("pause", "--reason", "drill").code)
			require.Zero(t, b.run("unpause").code)
		}
	}
	seal := func(to string) {
		_, err := sealer.SealPending(t.Context())
		require.NoError(t, err)
		require.Zero(t, b.run("audit", "checkpoint", "--to", to).code)
	}
	work(2)
	seal(l.old)
	work(2)
	require.Zero(t, b.run("tokens", "create", "--name", "second", "--role", "auditor", "--expires", "1d").code)
	seal(l.newer)
	work(1) // committed and not sealed
	r := b.run("audit", "export")
	require.Zero(t, r.code)
	l.file = []byte(r.out)
	_, v := b.runJSON("audit", "verify")
	l.key = v["key"].(string)
	return l
}

// verify runs sendoff audit verify on a file.
func (l *exportedLog) verify(file []byte, args ...string) ran {
	l.b.t.Helper()
	return l.b.run(append([]string{"audit", "verify", l.b.file("log.ndjson", string(file)), "--key", l.key}, args...)...)
}

func (l *exportedLog) requireFound(file []byte, says string, args ...string) {
	l.b.t.Helper()
	r := l.verify(file, args...)
	require.Equal(l.b.t, cli.ExitInternal, r.code, r.out+r.errout)
	require.Contains(l.b.t, r.out, "does NOT verify")
	require.Contains(l.b.t, r.out, says)
}

// line is a line of an export, as a forger takes it apart.
type line struct {
	Type     string `json:"type"`
	Leaf     *int64 `json:"leaf"`
	Stream   string `json:"stream"`
	Seq      int64  `json:"seq"`
	PrevHash string `json:"prev_hash"`
	Hash     string `json:"hash"`
	Body     string `json:"body"`
	note     string // of a checkpoint
	raw      []byte
}

func (l *exportedLog) lines() []line {
	l.b.t.Helper()
	var out []line
	for _, raw := range bytes.SplitAfter(bytes.TrimSuffix(l.file, []byte("\n")), []byte("\n")) {
		one := line{raw: bytes.TrimSuffix(raw, []byte("\n"))}
		require.NoError(l.b.t, json.Unmarshal(one.raw, &one))
		if one.Type == "checkpoint" {
			var c struct{ Note string }
			require.NoError(l.b.t, json.Unmarshal(one.raw, &c))
			one.note = c.Note
		}
		out = append(out, one)
	}
	return out
}

// edited is a line that is written from its fields.
func (n line) edited() line { n.raw = nil; return n }

// whole writes lines as an export with an end line that fits: anybody can.
func whole(lines []line) []byte {
	var buf bytes.Buffer
	count := 0
	put := func(v any) {
		enc := json.NewEncoder(&buf)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(v) // strings and numbers
	}
	for _, n := range lines {
		switch {
		case n.Type == "end":
			continue
		case n.raw != nil:
			buf.Write(append(slices.Clone(n.raw), '\n'))
		case n.Type == "checkpoint":
			put(struct {
				Type string `json:"type"`
				Note string `json:"note"`
			}{n.Type, n.note})
		default:
			put(n)
		}
		count++
	}
	sum := sha256.Sum256(buf.Bytes())
	put(struct {
		Type   string `json:"type"`
		Lines  int    `json:"lines"`
		SHA256 string `json:"sha256"`
	}{"end", count, hex.EncodeToString(sum[:])})
	return buf.Bytes()
}

// rechain gives every record hashes that fit it and the one before it.
func rechain(lines []line) []line {
	heads := map[string]audit.Head{}
	out := slices.Clone(lines)
	for i, n := range out {
		if n.Type != "record" {
			continue
		}
		r := audit.Next(heads[n.Stream], n.Stream, []byte(n.Body))
		heads[n.Stream] = r.Head()
		n.Seq, n.PrevHash, n.Hash = r.Seq, r.PrevHash.String(), r.Hash.String()
		out[i] = n.edited()
	}
	return out
}

// renumber gives the sealed records the leaves of their places.
func renumber(lines []line) []line {
	out := slices.Clone(lines)
	var next int64
	for i, n := range out {
		if n.Leaf != nil {
			leaf := next
			n.Leaf = &leaf
			out[i] = n.edited()
			next++
		}
	}
	return out
}

// reseal signs every checkpoint anew, over the tree of the records before it.
func reseal(t *testing.T, lines []line, signer *audit.Signer) []line {
	t.Helper()
	var hashes []tlog.Hash
	var size int64
	read := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(at))
		for i, n := range at {
			out[i] = hashes[n]
		}
		return out, nil
	})
	out := slices.Clone(lines)
	for i, n := range out {
		switch {
		case n.Leaf != nil:
			hash, err := hex.DecodeString(n.Hash)
			require.NoError(t, err)
			more, err := tlog.StoredHashes(size, hash, read)
			require.NoError(t, err)
			hashes = append(hashes, more...)
			size++
		case n.Type == "checkpoint":
			root, err := tlog.TreeHash(size, read)
			require.NoError(t, err)
			signed, err := signer.Sign(audit.Checkpoint{Origin: signer.Origin(), Size: size, Root: root, Time: time.Now()})
			require.NoError(t, err)
			n.note = string(signed)
			out[i] = n.edited()
		}
	}
	return out
}

// edit changes what a sealed record says: the forgery that all others hide.
func edit(t *testing.T, lines []line) []line {
	t.Helper()
	out := slices.Clone(lines)
	i := slices.IndexFunc(out, func(n line) bool { return strings.Contains(n.Body, "drill") && n.Leaf != nil })
	require.Positive(t, i)
	out[i].Body = strings.Replace(out[i].Body, "drill", "party", 1)
	out[i] = out[i].edited()
	return out
}

func nth(t *testing.T, lines []line, kind string, n int) int {
	t.Helper()
	for i, l := range lines {
		if l.Type == kind {
			if n--; n < 0 {
				return i
			}
		}
	}
	require.Fail(t, "no such line")
	return 0
}

func TestAuditVerifyFindsEveryForgery(t *testing.T) {
	t.Parallel()
	l := newExportedLog(t)
	lines := l.lines()
	require.Equal(t, string(l.file), string(whole(lines)), "taken apart and put together it is the same file")
	require.Zero(t, l.verify(l.file, "--since", l.old).code)
	stranger, err := audit.NewSigner("audit.example.com", bytes.Repeat([]byte{9}, audit.SeedSize))
	require.NoError(t, err)
	first, second := nth(t, lines, "record", 1), nth(t, lines, "record", 2)
	newest := nth(t, lines, "checkpoint", 1)

	for name, c := range map[string]struct {
		forge func() []line
		says  string
		args  []string
	}{
		"a dropped row": {
			func() []line { return slices.Delete(slices.Clone(lines), first, first+1) }, "rows are missing, repeated or swapped", nil,
		},
		"a dropped row, the others numbered and chained anew": {
			func() []line { return rechain(renumber(slices.Delete(slices.Clone(lines), first, first+1))) }, "rows are missing", nil,
		},
		"a duplicated row": {
			func() []line { return slices.Insert(slices.Clone(lines), first, lines[first]) }, "rows are missing, repeated or swapped", nil,
		},
		"a duplicated row, the others numbered and chained anew": {
			func() []line { return rechain(renumber(slices.Insert(slices.Clone(lines), first, lines[first]))) }, "rows are missing", nil,
		},
		"two swapped rows": {
			func() []line {
				out := slices.Clone(lines)
				out[first], out[second] = out[second], out[first]
				return out
			}, "rows are missing, repeated or swapped", nil,
		},
		"two swapped rows, numbered and chained anew": {
			func() []line {
				out := slices.Clone(lines)
				out[first], out[second] = out[second], out[first]
				return rechain(renumber(out))
			}, "a leaf was changed", nil,
		},
		"an edited record": {
			func() []line { return edit(t, lines) }, "content does not give the record's hash", nil,
		},
		"an edited record, chained anew": {
			func() []line { return rechain(edit(t, lines)) }, "a leaf was changed", nil,
		},
		"an edited record, chained and sealed anew without the key": {
			func() []line { return reseal(t, rechain(edit(t, lines)), stranger) }, "no checkpoint signed by the key fits the file", nil,
		},
		"a replaced signature": {
			func() []line {
				out := slices.Clone(lines)
				text, _, _ := strings.Cut(out[newest].note, "\n\n")
				_, other, _ := strings.Cut(out[nth(t, lines, "checkpoint", 0)].note, "\n\n")
				out[newest].note = text + "\n\n" + other
				out[newest] = out[newest].edited()
				return out
			}, "checkpoint signature", nil,
		},
		"no signature": {
			func() []line {
				return slices.DeleteFunc(slices.Clone(lines), func(n line) bool { return n.Type == "checkpoint" })
			},
			"no checkpoint signed by the key fits the file", nil,
		},
		"a tail cut in the middle of what a checkpoint covers": {
			func() []line { return append(slices.Clone(lines[:newest-1]), lines[newest]) }, "rows are missing", nil,
		},
		"a tail cut behind an earlier checkpoint": {
			func() []line { return lines[:nth(t, lines, "checkpoint", 0)+1] }, "its tail was cut", []string{"--since", l.newer},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l.requireFound(whole(c.forge()), c.says, c.args...)
		})
	}

	t.Run("another key", func(t *testing.T) {
		t.Parallel()
		resealed := reseal(t, rechain(edit(t, lines)), stranger)
		resealed[0].raw = []byte(strings.Replace(string(lines[0].raw), l.key, stranger.VerifierKey(), 1))
		file := whole(resealed)
		l.requireFound(file, "another key or origin")
		forged := l.b.run("audit", "verify", l.b.file("log", string(file)), "--key", stranger.VerifierKey())
		require.Zero(t, forged.code, "it verifies with the forger's key alone: %s", forged.out)
		kept := l.b.run("audit", "verify", l.b.file("log", string(file)), "--key", stranger.VerifierKey(), "--since", l.old)
		require.Equal(t, cli.ExitUsage, kept.code, "the checkpoint kept is not signed by it")
	})

	t.Run("a cut tail cannot be seen without a checkpoint, and the program says so", func(t *testing.T) {
		t.Parallel()
		r := l.verify(whole(lines[:nth(t, lines, "checkpoint", 0)+1]))
		require.Zero(t, r.code, r.out)
		require.Contains(t, r.out, "cut off behind the newest checkpoint cannot be seen")
	})
}

// Every byte of an export matters: none may be flipped.
func TestAuditVerifyFindsAFlippedByte(t *testing.T) {
	t.Parallel()
	l := newExportedLog(t)
	masks := []byte{0x01, 0x20, 0x80} // the smallest change, another case, no longer ASCII
	for i := range l.file {
		bad := slices.Clone(l.file)
		bad[i] ^= masks[i%len(masks)]
		report, err := audit.Verify(bytes.NewReader(bad), l.key, nil)
		require.NoError(t, err)
		require.False(t, report.OK(), "byte %d, %q", i, l.file[max(0, i-20):min(len(l.file), i+20)])
	}
	l.file[len(l.file)/2] ^= 1
	require.Equal(t, cli.ExitInternal, l.verify(l.file).code)
}

func TestAuditCheckpoint(t *testing.T) {
	t.Parallel()
	l := newExportedLog(t)
	r := l.b.run("audit", "checkpoint", "--key", l.key, "--since", l.old)
	require.Zero(t, r.code, r.errout)
	kept, err := os.ReadFile(l.newer)
	require.NoError(t, err)
	require.Equal(t, string(kept), r.out)
	require.Empty(t, r.errout)
	r, v := l.b.runJSON("audit", "checkpoint", "--to", filepath.Join(t.TempDir(), "c"))
	require.Zero(t, r.code)
	require.Equal(t, l.key, v["key"])
	require.Contains(t, r.errout, "Keep the key as well")
	r = l.b.run("audit", "checkpoint", "--to", filepath.Join(t.TempDir(), "no", "such"))
	require.Equal(t, cli.ExitUsage, r.code)
	other, err := audit.NewSigner("audit.example.com", bytes.Repeat([]byte{9}, audit.SeedSize))
	require.NoError(t, err)
	r = l.b.run("audit", "checkpoint", "--key", other.VerifierKey())
	require.Equal(t, cli.ExitInternal, r.code)
	require.Empty(t, r.out)
	require.Contains(t, r.errout, "no checkpoint was written")
}
