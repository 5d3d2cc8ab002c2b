package box

import (
	"net/http"

	"sendoff/connectors"
	"sendoff/connectors/httpx"
	"sendoff/schema"
)

// Explain is explain, for fuzzing.
func Explain(e *connectors.Error, body []byte) { explain(e, http.Header{}, body) }

// OutcomeOf is outcomeOf, for fuzzing.
func OutcomeOf(a httpx.Answer) schema.TransferOutcome { return outcomeOf(a) }

// AskedTypes is askedTypes.
func AskedTypes() string { return askedTypes() }
