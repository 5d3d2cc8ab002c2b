package web

import "net/http"

// scimPrefix is where identity providers push. Their tokens are of a source of HR
// events, not of this API: the handler asks for them itself.
const scimPrefix = "/scim/v2/"

// serveSCIM mounts the handler of identity providers, if there is one.
func (s *server) serveSCIM(mux *http.ServeMux, h http.Handler) {
	if h != nil {
		mux.Handle(scimPrefix, h)
	}
}
