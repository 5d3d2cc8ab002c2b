package boxsim

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // Box checks uploads by SHA-1
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"time"
)

// uploadForm is what an upload carries: attributes, then the content.
type uploadForm struct {
	attributes struct {
		Name       string     `json:"name"`
		Parent     *folderRef `json:"parent"`
		CreatedAt  *time.Time `json:"content_created_at"`
		ModifiedAt *time.Time `json:"content_modified_at"`
	}
	content []byte
}

// uploadForm reads the multipart body. Box refuses content that comes before
// its attributes, and content that differs from its digest in Content-MD5, which
// despite its name is a SHA-1.
// https://developer.box.com/reference/post-files-content/
func (q *request) uploadForm() (uploadForm, *apiError) {
	var form uploadForm
	_, params, err := mime.ParseMediaType(q.call.Request.Header.Get("Content-Type"))
	if err != nil || params["boundary"] == "" {
		return form, badRequest("entity-body", "The body must be multipart/form-data with the parts attributes and file")
	}
	if err := form.read(multipart.NewReader(bytes.NewReader(q.call.Body), params["boundary"])); err != nil {
		return form, err
	}
	if want := q.call.Request.Header.Get("Content-MD5"); want != "" {
		sum := sha1.Sum(form.content) //nolint:gosec // see import
		if !strings.EqualFold(want, hex.EncodeToString(sum[:])) {
			return form, fail(http.StatusBadRequest, "bad_digest", "The specified content-md5 did not match what we received")
		}
	}
	return form, nil
}

func (f *uploadForm) read(parts *multipart.Reader) *apiError {
	described := false
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		var raw []byte
		if err == nil {
			raw, err = io.ReadAll(part)
		}
		if err != nil {
			return badRequest("entity-body", "The multipart body ends early")
		}
		switch {
		case part.FormName() == "attributes":
			if err := json.Unmarshal(raw, &f.attributes); err != nil {
				return badRequest("attributes", "The attributes must be a JSON object")
			}
			described = true
		case part.FormName() == "file" && !described:
			return fail(http.StatusBadRequest, "metadata_after_file_contents", "The attributes must come before the file contents")
		case part.FormName() == "file":
			f.content = append([]byte{}, raw...) // never nil: that means seeded
		}
	}
	if f.content == nil {
		return badRequest("file", "'file' is required")
	}
	return nil
}

// uploadFile makes a file of uploaded content.
func (q *request) uploadFile() reply {
	form, err := q.uploadForm()
	if err != nil {
		return failed(err)
	}
	parent, owner, err := q.placeFor(form.attributes.Name, form.attributes.Parent, int64(len(form.content)))
	if err != nil {
		return failed(err)
	}
	it := q.w.add(&item{
		typ: typeFile, name: form.attributes.Name, size: int64(len(form.content)), content: form.content,
		owner: owner, parent: parent, createdBy: q.actor.id, createdAt: q.now, modifiedAt: q.now,
	}, q.now)
	return created(q.uploaded(it))
}

func (q *request) uploaded(it *item) map[string]any {
	view := q.itemView(it, q.actor, itemStandard(typeFile), q.fields())
	return map[string]any{"total_count": 1, "entries": []any{view}}
}

// placeFor decides where new content of a size would go, and whether it may: the
// name must be good and free, and its owner must have room.
func (q *request) placeFor(name string, ref *folderRef, bytes int64) (parent, owner string, err *apiError) {
	if err := checkName(name); err != nil {
		return "", "", err
	}
	if ref == nil {
		return "", "", badRequest("parent", "'parent' is required")
	}
	parent, owner, err = q.target(*ref)
	if err != nil {
		return "", "", err
	}
	if clash := q.w.nameTaken(parent, owner, name, ""); clash != nil {
		return "", "", nameInUse(clash.mini())
	}
	return parent, owner, q.room(owner, bytes)
}

func (q *request) room(owner string, bytes int64) *apiError {
	if u := q.w.users[owner]; u.spaceAmount-u.bytes < bytes {
		return fail(http.StatusForbidden, "storage_limit_exceeded", "Account storage limit reached")
	}
	return nil
}

// uploadVersion replaces the content of a file.
func (q *request) uploadVersion() reply {
	form, err := q.uploadForm()
	if err != nil {
		return failed(err)
	}
	it, err := q.findFor(typeFile, q.id(), roleEditor)
	if err == nil {
		err = q.ifMatch(it)
	}
	if err == nil && q.busy(it) {
		err = blocked()
	}
	grows := int64(len(form.content))
	if err == nil {
		grows -= it.size
		err = q.room(it.owner, grows)
	}
	if err == nil && form.attributes.Name != "" {
		err = q.rename(it, form.attributes.Name)
	}
	if err != nil {
		return failed(err)
	}
	it.content, it.size = form.content, int64(len(form.content))
	it.etag++
	it.modifiedAt = q.now
	owner := q.w.users[it.owner]
	owner.bytes += grows
	owner.measure(grows, q.now)
	return ok(q.uploaded(it))
}

// preflightUpload tells beforehand whether an upload would be taken.
func (q *request) preflightUpload() reply {
	var b struct {
		Name   string     `json:"name"`
		Parent *folderRef `json:"parent"`
		Size   int64      `json:"size"`
	}
	if err := q.decode(&b); err != nil {
		return failed(err)
	}
	if _, _, err := q.placeFor(b.Name, b.Parent, b.Size); err != nil {
		return failed(err)
	}
	return ok(map[string]any{"upload_url": q.here() + "/2.0/files/content", "upload_token": ""})
}

// here is the simulator's own root as the client reached it.
func (q *request) here() string { return "http://" + q.call.Request.Host }
