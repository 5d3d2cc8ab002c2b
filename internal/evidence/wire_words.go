package evidence

import "sendoff/schema"

type wireLook struct {
	By        string         `json:"by"`
	TokenID   schema.TokenID `json:"token_id"`
	At        instant        `json:"at"`
	Reason    string         `json:"reason"`
	Decisions int            `json:"decisions"`
	Redo      bool           `json:"redo"`
	Redone    int            `json:"redone"`
	Current   bool           `json:"current"`
}

func lookOf(l schema.TakenLook) wireLook {
	return wireLook{l.By, l.TokenID, at(l.At), l.Reason, l.Decisions, l.Redo, l.Redone, l.Current}
}

func (l wireLook) look() schema.TakenLook {
	return schema.TakenLook{
		By: l.By, TokenID: l.TokenID, At: l.At.Time, Reason: l.Reason, Decisions: l.Decisions, Redo: l.Redo, Redone: l.Redone, Current: l.Current,
	}
}

type wireBatch struct {
	ID        schema.BatchID    `json:"id"`
	State     schema.BatchState `json:"state"`
	Size      int               `json:"size"`
	Overruns  []wireOverrun     `json:"overruns"`
	HeldAt    instant           `json:"held_at"`
	EndedAt   instant           `json:"ended_at"`
	Decisions []wireRelease     `json:"decisions"`
}

type wireRelease struct {
	Kind      schema.BatchState `json:"kind"`
	Principal string            `json:"principal"`
	TokenID   schema.TokenID    `json:"token_id"`
	At        instant           `json:"at"`
	Size      int               `json:"size"` // of what they saw
	Reason    string            `json:"reason"`
	Counts    bool              `json:"counts"`
}

func batchOf(b schema.EvidenceBatch) wireBatch {
	return wireBatch{
		ID: b.ID, State: b.State, Size: b.Size, Overruns: each(b.Overruns, func(o schema.Overrun) wireOverrun { return wireOverrun(o) }), HeldAt: at(b.HeldAt),
		EndedAt: at(b.EndedAt), Decisions: each(b.Decisions, func(d schema.EvidenceRelease) wireRelease {
			return wireRelease{d.Kind, d.Principal, d.TokenID, at(d.CreatedAt), d.Size, d.Reason, d.Counts}
		}),
	}
}

func (b wireBatch) batch() schema.EvidenceBatch {
	return schema.EvidenceBatch{
		ID: b.ID, State: b.State, Size: b.Size, Overruns: each(b.Overruns, func(o wireOverrun) schema.Overrun { return schema.Overrun(o) }), HeldAt: b.HeldAt.Time,
		EndedAt: b.EndedAt.Time, Decisions: each(b.Decisions, func(d wireRelease) schema.EvidenceRelease {
			return schema.EvidenceRelease{BatchDecision: schema.BatchDecision{
				Kind: d.Kind, Principal: d.Principal, TokenID: d.TokenID, CreatedAt: d.At.Time, Size: d.Size, Reason: d.Reason,
			}, Counts: d.Counts}
		}),
	}
}

type wireEvent struct {
	Seq     int64          `json:"seq"`
	At      instant        `json:"at"`
	Action  string         `json:"action"`
	By      string         `json:"by"` // "" = sendoff itself
	TokenID schema.TokenID `json:"token_id"`
	Details []wireDetail   `json:"details"`
	Hash    string         `json:"record_sha256"`
}

type wireDetail struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func eventOf(e schema.EvidenceEvent) wireEvent {
	return wireEvent{e.Seq, at(e.At), e.Action, e.By, e.TokenID, each(e.Details, func(d schema.EvidenceDetail) wireDetail { return wireDetail(d) }), e.Hash}
}

func (e wireEvent) event() schema.EvidenceEvent {
	return schema.EvidenceEvent{
		Seq: e.Seq, At: e.At.Time, Action: e.Action, By: e.By, TokenID: e.TokenID,
		Details: each(e.Details, func(d wireDetail) schema.EvidenceDetail { return schema.EvidenceDetail(d) }), Hash: e.Hash,
	}
}
