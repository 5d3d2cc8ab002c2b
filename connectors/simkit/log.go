package simkit

import (
	"encoding/json"
	"io"
	"slices"
	"sync"
	"time"
)

// Ends of a call, as Record.Ended tells them.
const (
	EndedOpen       = ""            // still being served
	EndedAnswered   = "answered"    // a whole answer was written
	EndedDropped    = "dropped"     // the connection was closed without an answer
	EndedTruncated  = "truncated"   // an answer was cut off
	EndedClientLeft = "client_left" // the client closed the connection first
)

// Record is one request as the simulator saw it. Status is 0 while the call is
// open and for a call that never got an answer.
type Record struct {
	Seq        int       `json:"seq"`
	Time       time.Time `json:"time"`
	Method     string    `json:"method"`
	Path       string    `json:"path"`
	Query      string    `json:"query"`
	ActingUser string    `json:"acting_user"`
	TokenUser  string    `json:"token_user"`
	Status     int       `json:"status"`
	Op         string    `json:"op"`
	Subject    string    `json:"subject"`
	Attempt    int       `json:"attempt"`
	Ended      string    `json:"ended"`
	Fault      string    `json:"fault,omitempty"`
	DurationMS int64     `json:"duration_ms"`
}

// Log keeps all requests in the order in which they arrived. Its zero value is
// ready for use; it is safe for concurrent use.
type Log struct {
	mu      sync.Mutex
	records []Record
}

// Add appends r, gives it the next sequence number and returns that number. A
// call is logged when it arrives, so that one which never ends is seen too.
func (l *Log) Add(r Record) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.Seq = len(l.records) + 1
	l.records = append(l.records, r)
	return r.Seq
}

// Update changes the record with the given sequence number in place.
func (l *Log) Update(seq int, change func(*Record)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if seq >= 1 && seq <= len(l.records) {
		change(&l.records[seq-1])
	}
}

// Records returns a copy of all records.
func (l *Log) Records() []Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.records)
}

// WriteNDJSON writes one JSON object per line and record.
func (l *Log) WriteNDJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	for _, r := range l.Records() {
		if err := enc.Encode(r); err != nil {
			return err
		}
	}
	return nil
}
