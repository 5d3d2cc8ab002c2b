package boxsim_test

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // Box checks uploads by SHA-1
	"encoding/hex"
	"io"
	"mime/multipart"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/box/boxsim"
)

// part is one part of a multipart body.
type part struct{ name, text string }

// upload posts a multipart body as the user.
func (b *bench) upload(path string, parts []part, opts ...option) answer {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, p := range parts {
		w, err := form.CreateFormField(p.name)
		if p.name == "file" {
			w, err = form.CreateFormFile("file", "ignored")
		}
		require.NoError(b.t, err)
		_, err = io.WriteString(w, p.text)
		require.NoError(b.t, err)
	}
	require.NoError(b.t, form.Close())
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.url+"/2.0"+path, &body)
	require.NoError(b.t, err)
	req.Header.Set("Authorization", "Bearer "+b.admin)
	req.Header.Set("Content-Type", form.FormDataContentType())
	for _, opt := range opts {
		opt(req)
	}
	res, err := b.send(req)
	require.NoError(b.t, err)
	return res
}

func digest(text string) option {
	sum := sha1.Sum([]byte(text)) //nolint:gosec // see import
	return func(r *http.Request) { r.Header.Set("Content-MD5", hex.EncodeToString(sum[:])) }
}

func firstEntry(res answer) obj { return res.body["entries"].([]any)[0].(obj) }

func TestUploadAndDownload(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Seed: 1})
	ada := b.user("Ada")
	attributes := part{"attributes", `{"name":"note.txt","parent":{"id":"0"}}`}

	res := b.upload("/files/content", []part{attributes, {"file", "hello"}}, asUser(ada), digest("hello"))
	require.Equal(t, http.StatusCreated, res.status, res.raw)
	file := firstEntry(res)
	require.InDelta(t, 5, file["size"], 0)
	id := file["id"].(string)
	require.Equal(t, "hello", b.do(http.StatusOK, http.MethodGet, "/files/"+id+"/content", nil, asUser(ada)).raw)

	res = b.upload("/files/"+id+"/content", []part{{"attributes", `{"name":"renamed.txt"}`}, {"file", "hello again"}}, asUser(ada))
	require.Equal(t, http.StatusOK, res.status, res.raw)
	require.Equal(t, "renamed.txt", firstEntry(res)["name"])
	require.NotEqual(t, file["sha1"], firstEntry(res)["sha1"])
	require.Equal(t, "hello again", b.do(http.StatusOK, http.MethodGet, "/files/"+id+"/content", nil, asUser(ada)).raw)
	require.InDelta(t, 11, b.get("/users/" + ada)["space_used"], 0)
}

func TestUploadRefusals(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Seed: 1})
	ada, err := b.sim.AddUser(boxsim.UserSpec{Name: "Ada", Login: "ada@example.com", SpaceAmountBytes: 10})
	require.NoError(t, err)
	attributes := part{"attributes", `{"name":"note.txt","parent":{"id":"0"}}`}
	require.Equal(t, http.StatusCreated, b.upload("/files/content", []part{attributes, {"file", ""}}, asUser(ada)).status)

	for name, c := range map[string]struct {
		parts  []part
		opts   []option
		status int
		code   string
	}{
		"content first":  {[]part{{"file", "x"}, attributes}, nil, http.StatusBadRequest, "metadata_after_file_contents"},
		"no content":     {[]part{attributes}, nil, http.StatusBadRequest, "bad_request"},
		"wrong digest":   {[]part{{"attributes", `{"name":"b","parent":{"id":"0"}}`}, {"file", "x"}}, []option{digest("y")}, http.StatusBadRequest, "bad_digest"},
		"name taken":     {[]part{attributes, {"file", "x"}}, nil, http.StatusConflict, "item_name_in_use"},
		"no such parent": {[]part{{"attributes", `{"name":"b","parent":{"id":"1"}}`}, {"file", "x"}}, nil, http.StatusNotFound, "not_found"},
		"no parent":      {[]part{{"attributes", `{"name":"b"}`}, {"file", "x"}}, nil, http.StatusBadRequest, "bad_request"},
		"no room":        {[]part{{"attributes", `{"name":"b","parent":{"id":"0"}}`}, {"file", "eleven byte"}}, nil, http.StatusForbidden, "storage_limit_exceeded"},
	} {
		res := b.upload("/files/content", c.parts, append(c.opts, asUser(ada))...)
		require.Equal(t, c.status, res.status, "%s: %s", name, res.raw)
		require.Equal(t, c.code, res.body["code"], name)
	}
}

func TestSeededFilesHaveNoBytes(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Seed: 1})
	ada := b.user("Ada")
	id, err := b.sim.AddFile(boxsim.ItemSpec{Owner: ada, Name: "seeded", SizeBytes: 5})
	require.NoError(t, err)
	res := b.do(http.StatusAccepted, http.MethodGet, "/files/"+id+"/content", nil, asUser(ada))
	require.Equal(t, "1", res.header.Get("Retry-After"))
}

func TestCopies(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Seed: 1})
	ada := b.user("Ada")
	top := b.do(http.StatusCreated, http.MethodPost, "/folders", obj{"name": "Top", "parent": obj{"id": "0"}}, asUser(ada)).body["id"].(string)
	inner := b.do(http.StatusCreated, http.MethodPost, "/folders", obj{"name": "Inner", "parent": obj{"id": top}}, asUser(ada)).body["id"].(string)
	_, err := b.sim.AddFile(boxsim.ItemSpec{Parent: inner, Name: "file", SizeBytes: 5})
	require.NoError(t, err)

	copied := b.do(http.StatusCreated, http.MethodPost, "/folders/"+top+"/copy", obj{"name": "Copy", "parent": obj{"id": "0"}}, asUser(ada)).body
	require.InDelta(t, 5, copied["size"], 0)
	require.NotEqual(t, top, copied["id"])
	b.do(http.StatusBadRequest, http.MethodPost, "/folders/"+top+"/copy", obj{"parent": obj{"id": inner}}, asUser(ada))
	b.do(http.StatusConflict, http.MethodPost, "/folders/"+top+"/copy", obj{"parent": obj{"id": "0"}}, asUser(ada))
	b.do(http.StatusInternalServerError, http.MethodPost, "/folders/0/copy", obj{"parent": obj{"id": "0"}}, asUser(ada))
}

func TestWebLinks(t *testing.T) {
	t.Parallel()
	b := setup(t, boxsim.Config{Seed: 1})
	ada := b.user("Ada")
	b.do(http.StatusBadRequest, http.MethodPost, "/web_links", obj{"url": "example.com", "parent": obj{"id": "0"}}, asUser(ada))
	link := b.do(http.StatusOK, http.MethodPost, "/web_links", obj{"url": "https://example.com", "parent": obj{"id": "0"}}, asUser(ada)).body
	require.Equal(t, "https://example.com", link["name"])
	path := "/web_links/" + link["id"].(string)
	require.Equal(t, "https://example.com/b", b.do(http.StatusOK, http.MethodPut, path, obj{"url": "https://example.com/b"}, asUser(ada)).body["url"])
	b.do(http.StatusNoContent, http.MethodDelete, path, nil, asUser(ada))
	b.do(http.StatusOK, http.MethodGet, path+"/trash", nil, asUser(ada))
	b.do(http.StatusCreated, http.MethodPost, path, nil, asUser(ada))
	b.do(http.StatusNoContent, http.MethodDelete, path, nil, asUser(ada))
	b.do(http.StatusNoContent, http.MethodDelete, path+"/trash", nil, asUser(ada))
	b.do(http.StatusNotFound, http.MethodGet, path, nil, asUser(ada))
}
