package audit

import "fmt"

// maxProblems bounds the list in a Report; ProblemCount goes on counting.
const maxProblems = 1000

// ProblemKind groups problems by what was broken.
type ProblemKind string

// What can be wrong with an export.
const (
	ProblemFormat     ProblemKind = "format"     // a line that sendoff does not write
	ProblemFile       ProblemKind = "file"       // the file as a whole: digest, line count, missing end
	ProblemKey        ProblemKind = "key"        // the file names another key or origin than the one given
	ProblemRecord     ProblemKind = "record"     // a record whose hash does not fit its content
	ProblemChain      ProblemKind = "chain"      // a stream with a hole, a repeat or a wrong previous hash
	ProblemLeaf       ProblemKind = "leaf"       // leaves missing, repeated, out of order or covered by no checkpoint
	ProblemCheckpoint ProblemKind = "checkpoint" // a bad signature, size, root or time
	ProblemSince      ProblemKind = "since"      // the log does not continue the checkpoint the caller holds
	ProblemUnproven   ProblemKind = "unproven"   // nothing in the file is signed by the key, so it proves nothing
)

// Problem is one thing that is wrong. Line counts from 1 and is 0 for the file as a whole; Stream and Seq are set
// when a record is meant.
type Problem struct {
	Kind   ProblemKind `json:"kind"`
	Line   int64       `json:"line,omitempty"`
	Stream string      `json:"stream,omitempty"`
	Seq    int64       `json:"seq,omitempty"`
	Text   string      `json:"text"`
}

// String returns the problem as one line for people.
func (p Problem) String() string {
	where := "file"
	if p.Line > 0 {
		where = fmt.Sprintf("line %d", p.Line)
	}
	if p.Stream != "" {
		where += fmt.Sprintf(", %s record %d", p.Stream, p.Seq)
	}
	return fmt.Sprintf("%s: %s: %s", where, p.Kind, p.Text)
}

// Report is the result of [Verify]: what the file holds and everything that is wrong with it.
type Report struct {
	Origin      string `json:"origin"`
	Lines       int64  `json:"lines"`
	Records     int64  `json:"records"` // Sealed + Unsealed
	Sealed      int64  `json:"sealed"`
	Unsealed    int64  `json:"unsealed"` // committed, chained, but under no checkpoint yet: counted, no failure
	Streams     int    `json:"streams"`
	Checkpoints int64  `json:"checkpoints"` // with a good signature
	// Latest is the newest checkpoint with a good signature whose root the file's leaves give; keep its note to
	// pass it as since the next time.
	Latest       *Checkpoint `json:"latest,omitempty"`
	LatestNote   string      `json:"latest_note,omitempty"`
	Problems     []Problem   `json:"problems"` // the first 1000
	ProblemCount int64       `json:"problem_count"`
}

// OK reports whether nothing is wrong and something is proven: a file of which no checkpoint is signed by the key,
// an empty one included, could have been written by anybody.
func (r Report) OK() bool { return r.ProblemCount == 0 }

func (r *Report) add(p Problem) {
	r.ProblemCount++
	if len(r.Problems) < maxProblems {
		r.Problems = append(r.Problems, p)
	}
}
