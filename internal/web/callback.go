package web

import (
	"html/template"
	"net/http"

	"sendoff/schema"
)

// callbackPage is what a person sees who comes back from the vendor. It holds
// texts of ours alone; the layers around it forbid scripts, frames and caches.
const callbackPage = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{.Title}} - sendoff</title></head>
<body><h1>{{.Title}}</h1><p>{{.Text}}</p>{{with .Fix}}<p>{{.}}</p>{{end}}</body></html>
`

type callbackText struct{ Title, Text, Fix string }

// serveCallback takes people back from the vendor. There is no token: the state is
// the secret, and it is good once.
func (s *server) serveCallback(mux *http.ServeMux) {
	page := template.Must(template.New("callback").Parse(callbackPage))
	mux.HandleFunc("GET "+callbackPath, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet { // a pattern of GET takes HEAD too, and must not use the state up
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		q := r.URL.Query()
		b := finishBody{State: q.Get("state"), Code: q.Get("code"), Error: q.Get("error")}
		if b.State == "" || len(b.State) > maxState || len(b.Code) > maxCode || s.publicURL == "" {
			writeCallback(w, page, &schema.Error{Code: schema.CodeInvalid, Message: "This is where a vendor sends people back to who consented.", Fix: "Begin a sign-in with: sendoff connect box --browser"}, callbackText{})
			return
		}
		out, err := s.finishConsent(r.Context(), b, func(p schema.PendingConsent) (schema.Principal, bool) {
			return p.By, p.RedirectURL == s.callbackURL()
		})
		if err != nil {
			exchangeOf(r.Context()).err = err
			writeCallback(w, page, err, callbackText{})
			return
		}
		c := out.Body.Connection
		writeCallback(w, page, nil, callbackText{
			Title: "Connected",
			Text:  "Connection " + c.Name + " acts as user " + string(c.AsUser) + " of enterprise " + c.EnterpriseID + ". You can close this page.",
		})
	})
}

func writeCallback(w http.ResponseWriter, page *template.Template, err error, text callbackText) {
	status := http.StatusOK
	if err != nil {
		p := problemOf(err)
		status, text = p.Status, callbackText{Title: "Not connected", Text: p.Detail, Fix: p.Fix}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = page.Execute(w, text) // the reader may be gone
}
