package schema

import "time"

// ProbeCodes lists the codes that say that something is wrong.
func ProbeCodes() []ProbeCode {
	return []ProbeCode{
		ProbeScopeMissing, ProbeScopeOptionalMissing, ProbeAppNotApproved, ProbeTokenExpired, ProbeTokenRevoked, ProbeGrantLost,
		ProbeCredentialsWrong, ProbeRoleInsufficient, ProbeIntegrationRemoved, ProbeEnterpriseMismatch, ProbePlanWithoutEvents,
		ProbeClockSkew, ProbeRateExhausted, ProbeBaseURLUnreachable, ProbeGrantRefused, ProbeAccessRefused, ProbeMalformed,
	}
}

// StoredDiagnosis is the last diagnosis of a connection.
type StoredDiagnosis struct {
	Diagnosis
	Since time.Time // when the health became what it is
}

// AlarmsOfPeople are the codes that nothing ends but somebody's word: what they tell
// of happened once, or only people can judge it.
func AlarmsOfPeople() []string { return []string{AlarmEventReused, AlarmForCause, AlarmReturnUnseen} }

// AlarmView is an alarm as people see it.
type AlarmView struct {
	Alarm
	Connection   string // name; empty = not about a connection
	Source       string // name; empty = not about a source of HR events
	Policy       string // name; empty = not about a policy
	AccessReview string // name; empty = not about an access review
}

// Passing tells whether a fault may be over by itself: nobody has to mend it.
func (c ProbeCode) Passing() bool {
	return c == ProbeRateExhausted || c == ProbeBaseURLUnreachable
}

// Fault tells whether the code says that something is wrong.
func (c ProbeCode) Fault() bool { return c != ProbeOK && c != ProbeNotProbed && c != "" }

// Faults are the results that say that something is wrong: those of required
// abilities first.
func (d Diagnosis) Faults() []ProbeResult {
	var needed, others []ProbeResult
	for _, r := range d.Results {
		switch {
		case !r.Code.Fault():
		case r.Ability.Required && r.Code != ProbeClockSkew:
			needed = append(needed, r)
		default:
			others = append(others, r)
		}
	}
	return append(needed, others...)
}

// Code is the first fault, OK when there is none.
func (d Diagnosis) Code() ProbeCode {
	if f := d.Faults(); len(f) > 0 {
		return f[0].Code
	}
	return ProbeOK
}

// Shown is how a connection fares, as people see it: its health, or that nobody
// may use it.
func (c Connection) Shown() string {
	switch {
	case c.State != ConnectionEnabled:
		return string(c.State)
	case c.Health == "":
		return string(HealthPending)
	default:
		return string(c.Health)
	}
}
