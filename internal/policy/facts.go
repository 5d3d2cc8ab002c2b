package policy

import (
	"time"

	"sendoff/schema"
)

// FactsInput is what the facts of a plan are made of.
type FactsInput struct {
	Door       schema.Door
	Connection schema.Connection
	Source     schema.Account
	Receiver   *schema.Account // nil = none
	Steps      []schema.Step
	Template   schema.Template
	Request    schema.Request
	Restraint  Restraint
}

// BuildFacts returns what an approval of the plan covers.
func BuildFacts(in FactsInput) schema.Facts {
	restrictions, known := in.Restraint.Facts()
	f := schema.Facts{
		Restrictions: restrictions, Holds: known,
		Cause:           string(in.Door),
		ConnectionID:    in.Connection.ID,
		EnterpriseID:    in.Connection.EnterpriseID,
		AccountID:       in.Source.ExternalID,
		Login:           in.Source.Login,
		Role:            in.Source.Role,
		Kind:            in.Source.Kind,
		Steps:           schema.StepFacts(in.Steps),
		Template:        in.Template.Name,
		TemplateVersion: in.Template.Version,
		EffectiveAt:     schema.FormatInstant(in.Request.EffectiveAt),
		SendAgain:       in.Request.SendAgain,

		LastActiveAt: in.Request.LastActiveAt, ThresholdSeconds: int64(in.Request.Threshold / time.Second),
	}
	if in.Receiver != nil {
		f.Receiver, f.ReceiverLogin = in.Receiver.ExternalID, in.Receiver.Login
	}
	return f
}

// Renew returns the facts as they would be with the account as it is now, and
// the receiver that would be taken and the restraint that holds now (nil =
// unchanged).
func Renew(f schema.Facts, enterpriseID string, source schema.Account, receiver *schema.Account, r *Restraint) schema.Facts {
	f.EnterpriseID, f.Login, f.Role, f.Kind = enterpriseID, source.Login, source.Role, source.Kind
	if receiver != nil {
		f.Receiver, f.ReceiverLogin = receiver.ExternalID, receiver.Login
	}
	if r != nil {
		f.Restrictions, f.Holds = r.Facts()
	}
	return f
}
