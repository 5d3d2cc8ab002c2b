package boxsim

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"

	"sendoff/connectors/simkit"
)

// downloadContent sends the client to a URL that needs no token. A seeded file
// has a size but no bytes: it is forever not ready, as Box says by 202 of a file
// whose upload it has not finished.
// https://developer.box.com/reference/get-files-id-content/
func (q *request) downloadContent() reply {
	it, err := q.find(typeFile, q.id())
	if err != nil {
		return failed(err)
	}
	if it.content == nil {
		q.call.Header().Set("Retry-After", "1")
		return reply{status: http.StatusAccepted}
	}
	q.call.Header().Set("Location", fmt.Sprintf("%s/download/%s/%s", q.here(), it.id, q.downloadKey(it)))
	return reply{status: http.StatusFound}
}

// downloadKey opens one version of a file.
func (s *Sim) downloadKey(it *item) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "download/%d/%s/%d", s.cfg.Seed, it.id, it.etag))
	return hex.EncodeToString(sum[:16])
}

// getDownload serves the content itself, as Box does from another host.
func (s *Sim) getDownload(w http.ResponseWriter, r *http.Request) {
	call, err := simkit.NewCall(r, "files.download", r.PathValue("id"))
	if err != nil {
		http.Error(w, "request body too large", http.StatusRequestEntityTooLarge)
		return
	}
	s.pipe.Serve(w, call, func(c *simkit.Call) {
		s.mu.Lock()
		defer s.mu.Unlock()
		it := s.w.items[c.Subject]
		if it == nil || !it.alive() || it.content == nil || r.PathValue("key") != s.downloadKey(it) {
			c.JSON(http.StatusNotFound, nil)
			return
		}
		c.Raw(http.StatusOK, "application/octet-stream", it.content)
	})
}
