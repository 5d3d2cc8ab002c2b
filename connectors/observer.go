package connectors

import (
	"context"

	"sendoff/schema"
)

// Observer measures and traces the requests to vendors. It must not block.
type Observer interface {
	// BeginCall is told of a request directly before it is sent. The request is
	// made with the context it returns; end is called once, with what was heard.
	BeginCall(ctx context.Context, c ObservedCall) (_ context.Context, end func(ObservedEnd))
}

// ObservedCall is one request. It names nobody: neither path, query, header nor
// body are part of it.
type ObservedCall struct {
	Connection schema.ConnectionID
	Op         string // in our words, e.g. "box.read_user"
	Method     string
}

// ObservedEnd is what became of a request.
type ObservedEnd struct {
	Kind      Kind   // "" = accepted
	Status    int    // HTTP status; 0 = no answer
	RequestID string // the vendor's id of the request, for its support; may be empty
}
