package bamboosim

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// retryAfter are the pauses after an answer of 5xx or none; 4xx is not sent again.
func retryAfter() []time.Duration {
	return []time.Duration{5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 40 * time.Minute, 80 * time.Minute}
}

// Delivery is one attempt to send a webhook.
type Delivery struct {
	Webhook  string    `json:"webhook"`
	Employee string    `json:"employee"`
	Event    string    `json:"event"`
	Attempt  int       `json:"attempt"`
	Status   int       `json:"status"` // 0 = no answer
	At       time.Time `json:"at"`
}

// Deliveries returns all attempts that have ended.
func (s *Sim) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Delivery{}, s.sent...)
}

// send delivers messages in the background, one after the other; what has to be
// sent again is overtaken. The simulator's lock is held.
func (s *Sim) send(messages ...message) {
	if s.ctx.Err() != nil {
		return
	}
	keep := s.switches.KeepTimestamp
	for i := range messages {
		m := &messages[i]
		m.hook.lastSent = s.now()
		m.address, m.key = m.hook.URL, m.hook.privateKey
		if keep && m.at.IsZero() {
			m.at = s.now()
		}
	}
	s.sending.Go(func() {
		for _, m := range messages {
			if !s.try(m, 1) {
				s.sending.Go(func() { s.again(m) })
			}
		}
	})
}

// again sends a message that was not taken, at ever longer pauses.
func (s *Sim) again(m message) {
	for i, pause := range retryAfter() {
		if !s.clock.WaitUntil(s.ctx, time.Now().Add(s.clock.Wall(pause))) || s.try(m, i+2) {
			return
		}
	}
}

// try sends a message once, and tells whether that settles it.
func (s *Sim) try(m message, attempt int) bool {
	status := s.post(m)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, Delivery{
		Webhook: strconv.Itoa(m.hook.id), Employee: m.employee, Event: m.event, Attempt: attempt, Status: status, At: s.now(),
	})
	return status != 0 && status < 500
}

// post sends a message; 0 = there was no answer. It sends to loopback alone.
func (s *Sim) post(m message) int {
	if !onLoopback(m.address) {
		return 0
	}
	at := m.at
	if at.IsZero() {
		at = s.now()
	}
	ctx, cancel := context.WithTimeout(s.ctx, deliveryTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.address, bytes.NewReader(m.body))
	if err != nil {
		return 0
	}
	stamp := strconv.FormatInt(at.Unix(), 10)
	signature := sign(m.key, m.body, stamp)
	if m.spoil {
		signature = "0" + signature[:len(signature)-1]
	}
	req.Header.Set("Content-Type", m.typ)
	req.Header.Set("User-Agent", "BambooHR")
	req.Header.Set("X-BambooHR-Timestamp", stamp)
	req.Header.Set("X-BambooHR-Signature", signature)
	res, err := s.http.Do(req)
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20))
	return res.StatusCode
}

// sign is hex HMAC-SHA256 over the body and, behind it, the timestamp.
func sign(key string, body []byte, stamp string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write(body)
	mac.Write([]byte(stamp))
	return hex.EncodeToString(mac.Sum(nil))
}

// Nasty is a delivery as BambooHR, or somebody else, may make it.
type Nasty struct {
	ID string `json:"id"` // of an employee
	// Kind is duplicate (the same bytes twice), out_of_order (updated before
	// created), wrong_company, stale (signed an hour ago), or bad_signature.
	Kind string `json:"kind"`
}

// Deliver sends nasty deliveries to all webhooks.
func (s *Sim) Deliver(n Nasty) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.find(n.ID)
	if err != nil {
		return err
	}
	for _, w := range s.hooks {
		family := familyPlain
		if _, plain := w.wants(actionUpdated); plain && len(w.PostFields) > 0 {
			family = familyWithFields
		}
		updated := s.message(w, family, actionUpdated, e, []string{"status"}, CompanyID)
		switch n.Kind {
		case "duplicate":
			updated.at = s.now()
			s.send(updated, updated)
		case "out_of_order":
			s.send(updated, s.message(w, family, actionCreated, e, nil, CompanyID))
		case "wrong_company":
			s.send(s.message(w, family, actionUpdated, e, []string{"status"}, "99999"))
		case "stale":
			updated.at = s.now().Add(-time.Hour)
			s.send(updated)
		case "bad_signature":
			updated.spoil = true
			s.send(updated)
		default:
			return fmt.Errorf("kind %q is unknown: use duplicate, out_of_order, wrong_company, stale or bad_signature", n.Kind)
		}
	}
	return nil
}
