package simkit

import (
	"encoding/json"
	"net/http"
)

// Control registers the endpoints every simulator has under /_sim/:
// GET requests (NDJSON), and GET, POST and DELETE faults.
func (p *Pipe) Control(mux *http.ServeMux) {
	mux.HandleFunc("GET /_sim/requests", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		_ = p.Log.WriteNDJSON(w)
	})
	mux.HandleFunc("GET /_sim/faults", func(w http.ResponseWriter, _ *http.Request) {
		WriteJSON(w, http.StatusOK, map[string]any{"faults": append([]Fault{}, p.Faults.List()...)})
	})
	mux.HandleFunc("POST /_sim/faults", p.postFaults)
	mux.HandleFunc("DELETE /_sim/faults", func(w http.ResponseWriter, _ *http.Request) {
		p.Faults.Clear()
		w.WriteHeader(http.StatusNoContent)
	})
}

// postFaults takes one fault or an array of them.
func (p *Pipe) postFaults(w http.ResponseWriter, r *http.Request) {
	var raw json.RawMessage
	if err := ReadJSON(r, &raw); err != nil {
		WriteError(w, http.StatusBadRequest, err)
		return
	}
	faults, err := decodeFaults(raw)
	if err == nil {
		err = p.Faults.Add(faults...)
	}
	if err != nil {
		WriteError(w, http.StatusBadRequest, err)
		return
	}
	WriteJSON(w, http.StatusCreated, map[string]any{"faults": p.Faults.List()})
}

func decodeFaults(raw json.RawMessage) ([]Fault, error) {
	if len(raw) > 0 && raw[0] == '[' {
		var many []Fault
		err := strictUnmarshal(raw, &many)
		return many, err
	}
	var one Fault
	if err := strictUnmarshal(raw, &one); err != nil {
		return nil, err
	}
	return []Fault{one}, nil
}
