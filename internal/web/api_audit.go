package web

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"sendoff/schema"
)

const ndjson = "application/x-ndjson"

// exportTimeout bounds one export; a log of ten million records takes minutes.
const exportTimeout = time.Hour

func (s *server) registerAudit() {
	op := route{
		id: "export-audit", method: http.MethodGet, path: "/v1/audit/export", roles: auditReaders(),
		summary: "The whole audit log as NDJSON, in the form that audit verify reads",
	}
	handle(s, op, func(context.Context, schema.Principal, *struct{}) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: s.exportAudit}, nil
	})
	ok := s.api.OpenAPI().Paths[op.path].Get.Responses["200"]
	ok.Content = map[string]*huma.MediaType{ndjson: {Schema: &huma.Schema{Type: "string"}}}
}

func (s *server) exportAudit(c huma.Context) {
	stream(c, ndjson, "audit.ndjson", s.store.ExportAudit)
}

// stream writes a file. A failure before the first byte is a problem document;
// after it the connection is cut, so that no reader takes a part for the whole.
func stream(c huma.Context, contentType, name string, write func(context.Context, io.Writer) error) {
	r, w := humago.Unwrap(c)
	ctx, cancel := context.WithTimeout(r.Context(), exportTimeout)
	defer cancel()
	// Without support for deadlines the server's own stays in force.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(exportTimeout))
	out := &lateWriter{w: w, contentType: contentType, name: name}
	if err := write(ctx, out); err != nil {
		exchangeOf(r.Context()).err = err
		if out.begun {
			panic(http.ErrAbortHandler)
		}
		writeProblem(w, err)
	}
}

// lateWriter sends the headers with the first byte.
type lateWriter struct {
	w                 http.ResponseWriter
	contentType, name string
	begun             bool
}

var _ io.Writer = (*lateWriter)(nil)

func (l *lateWriter) Write(b []byte) (int, error) {
	if !l.begun {
		l.begun = true
		l.w.Header().Set("Content-Type", l.contentType)
		l.w.Header().Set("Content-Disposition", `attachment; filename="`+l.name+`"`)
		l.w.WriteHeader(http.StatusOK)
	}
	return l.w.Write(b)
}
