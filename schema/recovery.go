package schema

// OutboxRestart asks the dispatcher to end whatever run a plan's or case's
// workflow has and to start it anew from its row: after a restore, runs are ahead
// of their rows.
const OutboxRestart OutboxKind = "restart"

// Recovery is what a recovery after a restore did, or would do.
type Recovery struct {
	// Done is false when it was only looked at.
	Done bool `json:"done"`
	// CheckpointSize is how many records the newest signed checkpoint of the
	// restored audit log covers. A checkpoint kept elsewhere that covers more shows
	// how much was lost.
	CheckpointSize int64               `json:"checkpoint_size"`
	Plans          int                 `json:"plans"`       // open plans, whose workflows start anew
	Writes         int                 `json:"writes"`      // vendor writes without outcome, now unknown
	Connections    []string            `json:"connections"` // that may not write until an admin allows it
	Transfers      []RecoveredTransfer `json:"transfers"`
}

// RecoveredTransfer is a transfer whose request may have been sent after the
// backup. From is "" when the restored database knew of none.
type RecoveredTransfer struct {
	CaseID CaseID        `json:"case_id"`
	PlanID PlanID        `json:"plan_id"`
	From   TransferState `json:"from"`
	// To is settling, so that evidence decides, or stalled, so that an operator
	// does: there is no snapshot from before the request to compare with.
	To TransferState `json:"to"`
}
