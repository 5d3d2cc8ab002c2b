// Package audit is sendoff's tamper-evident record of what was decided and done.
//
// Records live in streams (one per case, connection, person and policy, and one for the system), and each
// stream is a hash chain, so writers of different streams never wait for each other. A [Sealer] adds the hashes
// of committed records as leaves to one Merkle log (RFC 6962, golang.org/x/mod/sumdb/tlog) and signs a checkpoint
// of it. [Export] writes the whole history to one file and [Verify] checks that file offline with nothing but the
// public key.
//
// The package is pure: it knows no SQL and reaches storage through [SealStore] and [ExportSource].
package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
)

// HashSize is the length of a record hash in bytes.
const HashSize = sha256.Size

// recordDomain separates record hashes from every other SHA-256 in the product; the version changes with the layout.
const recordDomain = "sendoff/audit/record/v1\x00"

// SystemStream is the stream of what belongs to no case, connection, person, policy or source.
const SystemStream = "system"

const maxStreamIDBytes = 128

// Hash is the SHA-256 of a record; its text form is lower-case hexadecimal.
type Hash [HashSize]byte

// String returns h as 64 lower-case hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText implements [encoding.TextMarshaler].
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]; it accepts exactly 64 hexadecimal digits.
func (h *Hash) UnmarshalText(text []byte) error {
	if hex.DecodedLen(len(text)) != HashSize || len(text)%2 != 0 {
		return fmt.Errorf("audit: a hash has %d hexadecimal digits, this one has %d characters", 2*HashSize, len(text))
	}
	_, err := hex.Decode(h[:], text)
	return err
}

// Record is one entry of a stream. Seq counts from 1 without holes, PrevHash is the Hash of the entry before it
// (zero for the first) and Body is the canonical JSON of an [Event].
type Record struct {
	Stream   string
	Seq      int64
	PrevHash Hash
	Hash     Hash
	Body     []byte
}

// Head is the end of a stream: what the next record has to build on. The zero Head is an empty stream.
type Head struct {
	Seq  int64
	Hash Hash
}

// Next returns the record that follows head in stream, with its hash computed. It does not copy body.
func Next(head Head, stream string, body []byte) Record {
	r := Record{Stream: stream, Seq: head.Seq + 1, PrevHash: head.Hash, Body: body}
	r.Hash = r.ComputeHash()
	return r
}

// Head returns the stream's end after r.
func (r Record) Head() Head { return Head{Seq: r.Seq, Hash: r.Hash} }

// ComputeHash returns the hash r must carry: SHA-256 over a domain prefix and the length-prefixed stream, the
// sequence number, the previous hash and the length-prefixed body. Lengths and numbers are big-endian uint64, so
// no two different records share an encoding.
func (r Record) ComputeHash() Hash {
	buf := make([]byte, 0, len(recordDomain)+3*8+len(r.Stream)+HashSize+len(r.Body))
	buf = append(buf, recordDomain...)
	buf = binary.BigEndian.AppendUint64(buf, uint64(len(r.Stream)))
	buf = append(buf, r.Stream...)
	buf = binary.BigEndian.AppendUint64(buf, uint64(r.Seq))
	buf = append(buf, r.PrevHash[:]...)
	buf = binary.BigEndian.AppendUint64(buf, uint64(len(r.Body)))
	buf = append(buf, r.Body...)
	return sha256.Sum256(buf)
}

// CaseStream names the stream of a case.
func CaseStream(id string) string { return "case/" + id }

// ConnectionStream names the stream of a connection.
func ConnectionStream(id string) string { return "connection/" + id }

// PersonStream names the stream of a person; id is the person's id, never a name or an e-mail address.
func PersonStream(id string) string { return "person/" + id }

// PolicyStream names the stream of a policy.
func PolicyStream(id string) string { return "policy/" + id }

// CampaignStream names the stream of a campaign as a whole.
func CampaignStream(id string) string { return "campaign/" + id }

// ReviewerStream names the stream of one reviewer's decisions in a campaign: reviewers do not queue behind one head.
func ReviewerStream(campaign, person string) string { return "campaign/" + campaign + ":" + person }

// SourceStream names the stream of what a source of HR events told.
func SourceStream(id string) string { return "source/" + id }

// ValidateStream reports whether name is "system" or "<kind>/<id>" with a known kind and an id of 1 to 128
// letters, digits, dots, colons, dashes and underscores. An "@" is refused on purpose: an e-mail address is no id.
func ValidateStream(name string) error {
	if name == SystemStream {
		return nil
	}
	kind, id, _ := strings.Cut(name, "/")
	switch kind {
	case "campaign", "case", "connection", "person", "policy", "source":
	default:
		return fmt.Errorf("audit: stream kind must be campaign, case, connection, person, policy or source, or the stream be %q", SystemStream)
	}
	if id == "" || len(id) > maxStreamIDBytes || strings.ContainsFunc(id, notInStreamID) {
		return fmt.Errorf("audit: id of a %s stream must be 1 to %d letters, digits or any of . : _ -", kind, maxStreamIDBytes)
	}
	return nil
}

func notInStreamID(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return false
	default:
		return !strings.ContainsRune(".:_-", r)
	}
}
