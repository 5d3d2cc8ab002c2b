package boxsim

import (
	"fmt"
	"net/http"
	"time"
)

// Limits of the transfer call, in simulated time.
const (
	gatewayLimit = 60 * time.Second // after it the gateway answers 504
	answerLimit  = 10 * time.Minute // after it Box answers 200 although it is not done
	dropAfter    = 20 * time.Second
)

// Outcomes of transfer requests, as the ledger counts them per source.
const (
	outcomeOK200      = "ok200"      // 200, the job was done
	outcomeRunning200 = "running200" // 200, the job was still running
	outcomeGateway504 = "gateway504"
	outcomeDropped    = "dropped"
	outcomeRefused    = "refused" // a 4xx that started nothing
	outcomeBusy       = "busy409" // an account of it was in a running job
	outcomePre503     = "pre503"
	outcomeClientLeft = "client_left"
	outcomeApplied503 = "applied503"
	outcomeDied500    = "died500" // 500, the job had died
	outcomeDied200    = "died200" // 200, although the job had died
)

func (s *Sim) countTransferRequest(source string) {
	if u := s.w.users[source]; u != nil {
		u.transferRequests++
	}
}

// transfer moves everything a user owns to another user. It starts a job that
// nothing can stop, and answers as the source's mode says.
func (q *request) transfer() reply {
	source := q.w.user(q.id())
	if source == nil {
		return failed(notFound("user", q.id()))
	}
	dest, err := q.transferTarget(source)
	if err == nil {
		err = q.mayTransfer(source, dest)
	}
	if err != nil {
		source.countTransfer(outcomeRefused)
		return failed(err)
	}
	if q.switches.BusyAnswer != BusyStart && len(q.jobsOf(source.id))+len(q.jobsOf(dest.id)) > 0 {
		source.countTransfer(outcomeBusy)
		return failed(q.busyError())
	}
	if err := q.storageError(source, dest); err != nil {
		source.countTransfer(outcomeRefused)
		return failed(err)
	}
	if source.mode.mode == ModePre503 {
		source.countTransfer(outcomePre503)
		return failed(unavailable())
	}
	return q.awaitJob(q.startJob(source, dest))
}

func (q *request) transferTarget(source *user) (*user, *apiError) {
	var b struct {
		OwnedBy struct {
			ID string `json:"id"`
		} `json:"owned_by"`
	}
	if err := q.decode(&b); err != nil {
		return nil, err
	}
	if b.OwnedBy.ID == "" {
		return nil, badRequest("owned_by", "'owned_by.id' is required")
	}
	dest := q.w.user(b.OwnedBy.ID)
	switch {
	case dest == nil:
		return nil, notFound("user", b.OwnedBy.ID)
	case source.external:
		return nil, denied()
	case dest.external:
		return nil, refusal(chosen(q.switches.ExternalDestination, http.StatusForbidden), "The new owner is not in the enterprise")
	case dest == source && q.switches.SameDestination != "accepted":
		return nil, refusal(chosen(q.switches.SameDestination, http.StatusBadRequest), "The new owner must differ from the current owner")
	}
	return dest, nil
}

// storageError refuses a receiver without room, unless the job is to find out.
func (q *request) storageError(source, dest *user) *apiError {
	full := source.mode.mode == ModeFull || dest != source && dest.spaceAmount-dest.bytes < source.bytes
	switch {
	case !full || q.switches.StorageFull == storageDies && source.mode.mode != ModeFull:
		return nil
	case q.switches.StorageFull == "507":
		return fail(http.StatusInsufficientStorage, "insufficient_storage", "Insufficient storage")
	}
	return fail(http.StatusForbidden, "storage_limit_exceeded", "Account storage limit reached")
}

// mayTransfer applies rank, mode and status. "privilaged" is how Box spells it.
func (q *request) mayTransfer(source, dest *user) *apiError {
	tooHigh := fail(http.StatusForbidden, "forbidden", "Cannot transfer files from/to higher privilaged accounts")
	for _, u := range []*user{source, dest} {
		if q.actor.role != roleAdmin && u != q.actor && u.privileged() {
			return tooHigh
		}
	}
	switch {
	case source.mode.mode == ModeRefused:
		return tooHigh
	case !source.active() && q.switches.RefuseInactiveSource:
		return q.inactiveSource()
	case !dest.active() && !q.switches.AcceptInactiveDestination:
		return fail(http.StatusForbidden, "forbidden", "The new owner has been deactivated")
	}
	return nil
}

func (q *request) inactiveSource() *apiError {
	status := chosen(q.switches.InactiveSourceAnswer, http.StatusForbidden)
	if status == http.StatusUnauthorized {
		return q.deactivated()
	}
	return refusal(status, "User has been deactivated")
}

func (q *request) busyError() *apiError {
	switch q.switches.BusyAnswer {
	case BusyLocked403:
		return fail(http.StatusForbidden, "forbidden", "User is locked")
	case BusyLocked400:
		return fail(http.StatusBadRequest, "bad_request", "User is locked")
	}
	return blocked()
}

// awaitJob holds the call until its answer is due by the source's mode.
func (q *request) awaitJob(j *job) reply {
	source := q.w.users[j.source]
	limit, then := answerLimit, q.answer200
	switch j.mode {
	case ModeGateway504, ModeNever:
		limit, then = gatewayLimit, q.answer504
	case ModeApplied503:
		limit, then = 0, func(*job) (string, reply) { return outcomeApplied503, failed(unavailable()) }
	case ModeDrop:
		limit, then = dropAfter, func(*job) (string, reply) { return outcomeDropped, reply{drop: true} }
	}
	until := j.started.Add(q.clock.Wall(limit))
	if (j.mode == ModeQuick || j.mode == ModeSlow200) && j.ends.Before(until) {
		until = j.ends
	}
	return reply{wait: &wait{until: until, then: func(now time.Time, left bool) reply {
		if left {
			source.countTransfer(outcomeClientLeft)
			return reply{drop: true}
		}
		q.now = now
		outcome, rep := then(j)
		source.countTransfer(outcome)
		return rep
	}}}
}

func (q *request) answer200(j *job) (string, reply) {
	folder, dest := q.w.items[j.folder], q.w.users[j.dest]
	outcome := outcomeRunning200
	switch {
	case j.died && q.switches.DeadJobAnswer != "200":
		return outcomeDied500, failed(fail(http.StatusInternalServerError, "internal_server_error", "Internal Server Error"))
	case j.died:
		outcome = outcomeDied200
	case j.done:
		outcome = outcomeOK200
	}
	return outcome, ok(q.itemView(folder, dest, itemStandard(typeFolder), q.fields()))
}

func (q *request) answer504(*job) (string, reply) {
	return outcomeGateway504, reply{status: http.StatusGatewayTimeout, html: "<html>\r\n<head><title>504 Gateway Time-out</title></head>\r\n" +
		"<body>\r\n<center><h1>504 Gateway Time-out</h1></center>\r\n</body>\r\n</html>\r\n"}
}

// destinationName is the name Box gives the folder, made unique in the root of
// the receiver.
func (s *Sim) destinationName(source, dest *user) string {
	base := source.name + "'s Files and Folders"
	if s.switches.FolderName != "name" {
		base = source.login + " - " + base
	}
	name := base
	if s.switches.SecondFolderName == "same" {
		return name
	}
	for n := 1; s.w.nameTaken("", dest.id, name, "") != nil; n++ {
		name = fmt.Sprintf("%s (%d)", base, n)
	}
	return name
}

func (u *user) countTransfer(outcome string) {
	if u.transfers == nil {
		u.transfers = map[string]int{}
	}
	u.transfers[outcome]++
}
