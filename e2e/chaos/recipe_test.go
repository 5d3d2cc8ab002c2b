package chaos_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"sendoff/connectors/box/boxsim"
	"sendoff/connectors/simkit"
	"sendoff/schema"
)

// recipe is what befalls one leaver: which process dies, at which point of this
// leaver's way, and what the vendor does wrong. It is one row of the covering
// array, a value for each factor.
type recipe [5]string

// The factors of a recipe, in the order of its values.
const (
	victimFactor = iota
	pointFactor
	faultFactor
	opFactor
	modeFactor
)

func (r recipe) victim() string { return r[victimFactor] }
func (r recipe) point() string  { return r[pointFactor] }
func (r recipe) fault() string  { return r[faultFactor] }
func (r recipe) op() string     { return r[opFactor] }
func (r recipe) mode() string   { return r[modeFactor] }

func (r recipe) String() string {
	return fmt.Sprintf("kill %s at %s, %s on %s, transfer %s", r.victim(), r.point(), r.fault(), r.op(), r.mode())
}

// The processes that die.
const (
	killNone     = "none"
	killWorker   = "worker"
	killServer   = "server"
	killTemporal = "temporal"
	killPostgres = "postgres"
)

func victims() []string {
	return []string{killNone, killWorker, killServer, killTemporal, killPostgres}
}

// Points that the server passes; all others are the worker's or the vendor's.
const (
	beforeCreate   = "api.CreateCases.before"
	afterCreate    = "api.CreateCases.after"
	beforeDispatch = "outbox.start_case.before"
	afterDispatch  = "outbox.start_case.after"
)

// points are the named hooks in the ports (hooks_test.go) and inside the
// vendor's calls (gate_test.go), in the order a leaver passes them.
func points() []string {
	all := []string{beforeCreate, afterCreate, beforeDispatch, afterDispatch}
	for _, kind := range stepKinds() {
		all = append(all, "store.BeginStep."+string(kind)+".after")
		all = append(all, within(kind)...)
		all = append(all, "store.CompleteStep."+string(kind)+".before", "store.CompleteStep."+string(kind)+".after")
	}
	return append(all, "store.EndPlan.before", "store.EndPlan.after")
}

// stepKinds are the steps of the template that everybody leaves by: the one of
// every installation, and the groups.
func stepKinds() []schema.StepKind {
	return []schema.StepKind{
		schema.StepSnapshot, schema.StepSuspend, schema.StepRevokeSessions, schema.StepRemoveFromGroups, schema.StepTransfer,
		schema.StepWait, schema.StepDelete,
	}
}

func within(kind schema.StepKind) []string {
	switch kind {
	case schema.StepSnapshot:
		return []string{"box.RootItems.after"}
	case schema.StepSuspend:
		return []string{
			"store.IntendWrite.suspend.before", "store.IntendWrite.suspend.after",
			"vendor.set_status.received", "vendor.set_status.answered", "store.RecordOutcome.suspend.before",
		}
	case schema.StepRevokeSessions:
		return []string{"vendor.terminate_sessions.received"}
	case schema.StepRemoveFromGroups:
		return []string{"vendor.remove_membership.received", "vendor.remove_membership.answered"}
	case schema.StepTransfer:
		return []string{
			"store.EnterLane.after", beforeMarkSent, afterMarkSent,
			"vendor.transfer.received", transferRunning, "vendor.transfer.answered",
			beforeOutcome, "store.RecordTransferOutcome.after", "box.LocateWitness.before",
			"store.RecordTransferRead.before", "store.ConcludeTransfer.before", "store.ConcludeTransfer.after",
		}
	case schema.StepDelete:
		return []string{"store.IntendWrite.delete.after", "vendor.delete.received", "vendor.delete.answered", "store.RecordOutcome.delete.before"}
	default:
		return nil
	}
}

const (
	beforeMarkSent  = "store.MarkSent.before"
	afterMarkSent   = "store.MarkSent.after"
	beforeOutcome   = "store.RecordTransferOutcome.before"
	transferRunning = "vendor.transfer.running" // its job runs and its call is open
)

// The vendor's faults.
const (
	faultNone       = "none"
	fault500        = "500"            // before the effect
	fault503Applied = "503 applied"    // after it
	fault429        = "429"            // with Retry-After
	faultBefore     = "reset before"   // connection closed before the effect
	faultAfter      = "reset after"    // and after it
	faultTruncated  = "truncated body" // half of the answer, after the effect
	faultTypes      = "wrong types"    // JSON of other types than documented
	faultHang       = "hang"           // silence, and then a closed connection
	faultToken      = "expired token"
)

func faults() []string {
	return []string{
		faultNone, fault500, fault503Applied, fault429, faultBefore, faultAfter, faultTruncated, faultTypes, faultHang, faultToken,
	}
}

// silenceMS is how long a hanging call is open, in milliseconds.
const silenceMS = 3000

// spoil is the fault in the words of the simulators: the call of op about
// subject with that number is spoilt.
func spoil(fault, op, subject string, attempt int) simkit.Fault {
	f := simkit.Fault{Op: op, Subject: subject, Attempt: attempt}
	switch fault {
	case fault500:
		f.Action, f.Status = simkit.ActionStatus, http.StatusInternalServerError
	case fault503Applied:
		f.Action, f.Status = simkit.ActionStatusAfter, http.StatusServiceUnavailable
	case fault429:
		f.Action, f.Status, f.Headers = simkit.ActionStatus, http.StatusTooManyRequests, map[string]string{"Retry-After": "1"}
	case faultBefore:
		f.Action = simkit.ActionDropBefore
	case faultAfter:
		f.Action = simkit.ActionDropAfter
	case faultTruncated:
		f.Action = simkit.ActionTruncate
	case faultTypes:
		f.Action, f.Status = simkit.ActionStatusAfter, http.StatusOK
		f.Body = json.RawMessage(`{"id":{"a":1},"type":7,"entries":"none","total_count":"many","status":[],"space_used":"much","owned_by":3,"path_collection":true}`)
	case faultHang:
		f.Action, f.DelayMS = simkit.ActionDropBefore, silenceMS
	case faultToken:
		f.Action, f.Status = simkit.ActionStatus, http.StatusUnauthorized
		f.Headers = map[string]string{"WWW-Authenticate": `Bearer realm="Service", error="invalid_token", error_description="The access token provided is invalid."`}
	}
	return f
}

// beforeEffect tells whether a fault keeps the call from having an effect.
func beforeEffect(fault string) bool {
	return slices.Contains([]string{fault500, fault429, faultBefore, faultHang, faultToken}, fault)
}

// The operations that faults hit, as the gate names them.
const (
	opNone         = "-"
	opFindUser     = "find_user"
	opReadUser     = "read_user"
	opMemberships  = "memberships"
	opListRoot     = "list_root"
	opListTrash    = "list_trash"
	opShares       = "item_collaborations"
	opSetStatus    = "set_status"
	opSessions     = "terminate_sessions"
	opLeaveGroup   = "remove_membership"
	opTransfer     = "transfer"
	opLocate       = "locate_witness"
	opDelete       = "delete"
	opUnknownToUs  = "other"
	opOfNobody     = "" // subject of a call that is about no leaver
	definiteUpTo   = 499
	definiteFrom   = 400
	acceptedBefore = 300
)

func ops() []string {
	return []string{
		opNone, opFindUser, opReadUser, opMemberships, opListRoot, opListTrash, opShares,
		opSetStatus, opSessions, opLeaveGroup, opTransfer, opLocate, opDelete,
	}
}

func modes() []string {
	return []string{
		string(boxsim.ModeQuick), string(boxsim.ModeSlow200), string(boxsim.ModeGateway504), string(boxsim.ModeDrop),
		string(boxsim.ModeRefused), string(boxsim.ModeNever), string(boxsim.ModePre503),
	}
}

func factors() [5][]string { return [5][]string{victims(), points(), faults(), ops(), modes()} }

// possible tells whether a run can show two values together.
func possible(a, b string, i, j int) bool {
	switch {
	case i == faultFactor && j == opFactor:
		return (a == faultNone) == (b == opNone) // a fault needs a call to hit
	case i == pointFactor && j == modeFactor:
		// A job that was never begun is never seen running.
		return a != transferRunning || b != string(boxsim.ModePre503)
	}
	return true
}

// sensible tells whether a run can show all its values: a fault that keeps the
// transfer from the vendor keeps it from what comes after.
func (r recipe) sensible() bool {
	for i := range r {
		for j := i + 1; j < len(r); j++ {
			if !possible(r[i], r[j], i, j) {
				return false
			}
		}
	}
	answered := r.point() == transferRunning || r.point() == "vendor.transfer.answered"
	return !answered || r.op() != opTransfer || !beforeEffect(r.fault()) || r.fault() == fault429 || r.fault() == faultToken
}

// mayPark is the table of causes that a recipe may lead to. What is not in it is
// a failure: everything else has to get to its end by itself.
func (r recipe) mayPark() map[string]bool {
	may := map[string]bool{}
	allow := func(code schema.ParkCode, when bool) {
		if when {
			may[string(code)] = true
		}
	}
	mode := boxsim.Mode(r.mode())
	allow(schema.ParkTransferRefused, mode == boxsim.ModeRefused)
	// Nothing moved, or not all of it, and a second request is an operator's to send.
	allow(schema.ParkTransferStalled, mode == boxsim.ModeNever || mode == boxsim.ModePre503)
	allow(schema.ParkTransferStalled, r.op() == opTransfer && r.fault() != fault429 && r.fault() != faultToken)
	allow(schema.ParkTransferStalled, r.losesTransferAnswer() && (mode == boxsim.ModeRefused || r.op() == opTransfer))
	// Marked as sent, and the worker died before the vendor began with it.
	allow(schema.ParkTransferStalled, r.victim() == killWorker && (r.point() == afterMarkSent || r.point() == "vendor.transfer.received"))
	// An answer that breaks the vendor's contract is nothing to try again.
	allow(schema.ParkBadAnswer, r.fault() == faultTypes && slices.Contains(readingOps(), r.op()))
	return may
}

// losesTransferAnswer tells whether what the vendor said to the transfer is lost
// with the worker: then also a definite refusal is an unknown outcome.
func (r recipe) losesTransferAnswer() bool {
	during := []string{afterMarkSent, "vendor.transfer.received", transferRunning, "vendor.transfer.answered", beforeOutcome}
	return r.victim() == killWorker && slices.Contains(during, r.point())
}

func readingOps() []string {
	return []string{opFindUser, opReadUser, opMemberships, opListRoot, opListTrash, opShares, opLocate}
}
