package campaign

import (
	"strings"

	"sendoff/schema"
)

// What the reasons go by. Below MinPeers people in a department its habits say
// nothing.
const (
	MinPeers    = 5
	UnusualAt   = 10        // percent of the department, below which an access is unusual
	UsualAt     = 50        // percent, from which on it is usual
	ManyBytesAt = 100 << 30 // bytes
	MediumFrom  = 20        // points
	HighFrom    = 40
)

// points is what a reason adds. A suspended account can do nothing until somebody
// activates it: it alone takes points away.
func points(code string) int {
	switch code {
	case Left:
		return 60
	case PrivilegedRole:
		return 40
	case CameBack:
		return 30
	case GroupAdmin:
		return 25
	case ServiceAccount, Unmatched, Dormant, NeverUsed, CoOwner:
		return 20
	case External, Unusual:
		return 15
	case Editor, ManyBytes:
		return 10
	case Suspended:
		return -20
	}
	return 0
}

// Risk is how much harm an access can do, by what is known of it. A reason more
// never makes it lower, but that the account is suspended.
func Risk(h *schema.Holding) schema.Risk {
	r := schema.Risk{Reasons: riskReasons(h)}
	for _, code := range r.Reasons {
		r.Score += points(code)
	}
	r.Score = max(r.Score, 0)
	switch {
	case r.Score >= HighFrom:
		r.Level = schema.RiskHigh
	case r.Score >= MediumFrom:
		r.Level = schema.RiskMedium
	default:
		r.Level = schema.RiskLow
	}
	return r
}

func riskReasons(h *schema.Holding) []string {
	f, list := h.Facts, []string{}
	when := func(code string, so bool) {
		if so {
			list = append(list, code)
		}
	}
	when(PrivilegedRole, f.Role.Privileged() && (f.Kind == schema.ItemAccount || f.Kind == schema.ItemRole))
	when(GroupAdmin, f.Kind == schema.ItemGroup && word(f.Access) == "admin")
	when(ServiceAccount, unmanned(f.AccountKind))
	when(Unmatched, unmatched(f))
	when(External, f.AccountKind == schema.KindExternal)
	when(Left, left(f))
	when(Dormant, dormant(h))
	when(NeverUsed, f.Grade == schema.GradeNever)
	when(Unusual, unusual(h.Context.Peers))
	when(ManyBytes, f.Kind == schema.ItemAccount && h.Context.Bytes >= ManyBytesAt)
	shared := f.Kind == schema.ItemCollaboration
	when(CoOwner, shared && (word(f.Access) == "owner" || word(f.Access) == "co-owner"))
	when(Editor, shared && word(f.Access) == "editor")
	when(CameBack, cameBack(h))
	when(Suspended, f.AccountStatus == schema.AccountSuspended)
	return list
}

// word is a vendor's word as Box writes it: in small letters, with hyphens.
func word(s string) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimSpace(s)), "_", "-")
}

func unmanned(k schema.AccountKind) bool { return k == schema.KindService || k == schema.KindApp }

func unmatched(f schema.ItemFacts) bool { return f.HolderID == "" && !unmanned(f.AccountKind) }

// live tells whether somebody can use an account.
func live(s schema.AccountStatus) bool {
	return s == schema.AccountActive || s == schema.AccountRestricted
}

func left(f schema.ItemFacts) bool {
	return f.HolderID != "" && f.Employment == schema.StatusEnded && live(f.AccountStatus)
}

// dormant tells whether silence is proven. Without a use and without the day it was
// made, an account may be of yesterday.
func dormant(h *schema.Holding) bool {
	return h.Facts.Grade == schema.GradeInactive && (!h.Context.LastActiveAt.IsZero() || !h.Subject.Account.CreatedAt.IsZero())
}

func unusual(p schema.Peers) bool { return p.People >= MinPeers && p.With*100 < p.People*UnusualAt }

func usual(p schema.Peers) bool { return p.People >= MinPeers && p.With*100 >= p.People*UsualAt }

func cameBack(h *schema.Holding) bool {
	return h.Facts.Held && h.Context.Last != nil && h.Context.Last.Answer == schema.AnswerRevoke
}
