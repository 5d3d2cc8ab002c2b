package audit

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// SeedSize is the length in bytes of the seed a [Signer] is made from.
const SeedSize = ed25519.SeedSize

// Checkpoint is a statement about the whole log: at Time it had Size leaves (sealed records) with the Merkle tree
// root Root (RFC 6962 section 2.1). Whoever keeps one can later prove that nothing under it was changed.
type Checkpoint struct {
	Origin string
	Size   int64
	Root   tlog.Hash
	Time   time.Time
}

// text is the signed part: origin, size, root in base64, then the time as an extension line, one per line
// (the layout of C2SP tlog-checkpoint).
func (c Checkpoint) text() string {
	return fmt.Sprintf("%s\n%d\n%s\n%s\n", c.Origin, c.Size, c.Root, c.Time.UTC().Format(time.RFC3339Nano))
}

func parseCheckpointText(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 5 || lines[4] != "" {
		return Checkpoint{}, errors.New("audit: a checkpoint has four lines: origin, size, root, time")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 {
		return Checkpoint{}, errors.New("audit: checkpoint size is not a number of leaves")
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return Checkpoint{}, errors.New("audit: checkpoint root is not a hash in base64")
	}
	at, err := time.Parse(time.RFC3339Nano, lines[3])
	if err != nil {
		return Checkpoint{}, errors.New("audit: checkpoint time is not an RFC 3339 instant")
	}
	c := Checkpoint{Origin: lines[0], Size: size, Root: tlog.Hash(root), Time: at.UTC()}
	if c.text() != text {
		return Checkpoint{}, errors.New("audit: checkpoint text is not in canonical form")
	}
	return c, nil
}

// OpenCheckpoint checks the signature of a signed checkpoint (a note, golang.org/x/mod/sumdb/note) against the
// verifier key and returns what it says. The key's name must be the checkpoint's origin.
func OpenCheckpoint(signed []byte, key string) (Checkpoint, error) {
	v, err := note.NewVerifier(key)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("audit: verifier key: %w", err)
	}
	return openCheckpoint(signed, v)
}

func openCheckpoint(signed []byte, v note.Verifier) (Checkpoint, error) {
	n, err := note.Open(signed, note.VerifierList(v))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("audit: checkpoint signature by key %s: %w", v.Name(), err)
	}
	if err := oneSpelling(n); err != nil {
		return Checkpoint{}, err
	}
	c, err := parseCheckpointText(n.Text)
	if err != nil {
		return Checkpoint{}, err
	}
	if c.Origin != v.Name() {
		return Checkpoint{}, fmt.Errorf("audit: checkpoint origin is not the key's name %s", v.Name())
	}
	return c, nil
}

// oneSpelling refuses what a note allows and a [Signer] does not write: signatures by other keys, and padding bits
// in base64 that mean nothing. Every freedom hides a changed byte.
func oneSpelling(n *note.Note) error {
	if len(n.Sigs) != 1 || len(n.UnverifiedSigs) != 0 {
		return errors.New("audit: a checkpoint has exactly one signature")
	}
	if _, err := base64.StdEncoding.Strict().DecodeString(n.Sigs[0].Base64); err != nil {
		return errors.New("audit: checkpoint signature is not in canonical base64")
	}
	return nil
}

// parseUnverified reads a signed checkpoint without checking who signed it: the exporter needs only its size.
func parseUnverified(signed []byte) (Checkpoint, error) {
	text, _, ok := strings.Cut(string(signed), "\n\n")
	if !ok {
		return Checkpoint{}, errors.New("audit: a signed checkpoint has a blank line before its signatures")
	}
	return parseCheckpointText(text + "\n")
}

// Signer signs checkpoints with an Ed25519 key of its own, used for nothing else.
type Signer struct {
	name    string
	keyHash uint32
	private ed25519.PrivateKey
	key     string
}

// NewSigner returns the signer for origin, the log's name (it becomes the key's name, so it must be non-empty and
// hold neither spaces nor "+"), from a 32-byte seed.
func NewSigner(origin string, seed []byte) (*Signer, error) {
	if len(seed) != SeedSize {
		return nil, fmt.Errorf("audit: signer seed must have %d bytes, this one has %d", SeedSize, len(seed))
	}
	private := ed25519.NewKeyFromSeed(seed)
	key, err := note.NewEd25519VerifierKey(origin, private.Public().(ed25519.PublicKey))
	if err != nil {
		return nil, fmt.Errorf("audit: verifier key: %w", err)
	}
	v, err := note.NewVerifier(key)
	if err != nil {
		return nil, fmt.Errorf("audit: origin %q cannot name a key: it must be non-empty without spaces and plus signs", origin)
	}
	return &Signer{name: origin, keyHash: v.KeyHash(), private: private, key: key}, nil
}

// Origin returns the log's name.
func (s *Signer) Origin() string { return s.name }

// VerifierKey returns the public key as text ("<origin>+<hash>+<base64>"), to be handed to whoever verifies.
func (s *Signer) VerifierKey() string { return s.key }

// Sign returns c as a signed note. c.Origin must be the signer's origin.
func (s *Signer) Sign(c Checkpoint) ([]byte, error) {
	if c.Origin != s.name {
		return nil, fmt.Errorf("audit: checkpoint of origin %q cannot be signed by the key of %q", c.Origin, s.name)
	}
	return note.Sign(&note.Note{Text: c.text()}, noteSigner{s})
}

// noteSigner adapts Signer to note.Signer without widening Signer's own methods.
type noteSigner struct{ s *Signer }

func (n noteSigner) Name() string    { return n.s.name }
func (n noteSigner) KeyHash() uint32 { return n.s.keyHash }
func (n noteSigner) Sign(msg []byte) ([]byte, error) {
	return ed25519.Sign(n.s.private, msg), nil
}
