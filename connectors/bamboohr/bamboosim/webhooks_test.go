package bamboosim_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sendoff/connectors/bamboohr/bamboosim"
)

// signature is the published scheme: hex HMAC-SHA256 over body and timestamp. It
// gives the signature of the vector of https://github.com/fusebit/integrations
// (MIT), which TestThePublishedVector holds it to.
func signature(key string, body []byte, stamp string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(string(body) + stamp))
	return hex.EncodeToString(mac.Sum(nil))
}

func TestThePublishedVector(t *testing.T) {
	t.Parallel()
	body := `{"employees":[{"changedFields":["First name"],"fields":{"Employee #":{"value":"300"},"First name":{"value":"Tefi"},"Last name":{"value":"Adams"}},"id":"5"}]}`
	require.Equal(t, "56491dd9c2b352bc5f4fc627159aae20ddff9c8cb19f239a6de6771dc5310bac", signature("123b929362d51613054f71e5e5d4bf2c", []byte(body), "1658248023"))
}

// genuine tells whether a delivery is signed with the key, and how old it is.
func genuine(p post, key string) (bool, time.Duration) {
	stamp := p.header.Get("X-BambooHR-Timestamp")
	at, _ := strconv.ParseInt(stamp, 10, 64)
	return p.header.Get("X-BambooHR-Signature") == signature(key, p.body, stamp), time.Since(time.Unix(at, 0))
}

// arrive waits until so many deliveries came.
func (r *receiver) arrive(t *testing.T, n int) []post {
	t.Helper()
	require.Eventually(t, func() bool { return len(r.all()) >= n }, 10*time.Second, 5*time.Millisecond)
	return r.all()
}

func TestChangesAreTold(t *testing.T) {
	t.Parallel()
	r := receive(t, http.StatusOK)
	b := setup(t, bamboosim.Config{WebhookURL: r.url})
	key := b.sim.Banner("").PrivateKey
	require.Len(t, key, 32)
	type event struct {
		Type string `json:"type"`
		Data struct {
			EmployeeID    string   `json:"employeeId"`
			CompanyID     string   `json:"companyId"`
			ChangedFields []string `json:"changedFields"`
		} `json:"data"`
	}
	told := 0
	next := func() (e event) {
		p := r.arrive(t, told+1)[told]
		told++
		ok, age := genuine(p, key)
		require.True(t, ok)
		require.Less(t, age, time.Minute)
		require.NoError(t, json.Unmarshal(p.body, &e))
		var tree any
		require.NoError(t, json.Unmarshal(p.body, &tree))
		checkPayload(t, e.Type, tree)
		require.Equal(t, bamboosim.CompanyID, e.Data.CompanyID)
		return e
	}
	b.control(http.StatusOK, "terminate", obj{"id": "2", "date": time.Now().UTC().AddDate(0, 0, 5).Format(time.DateOnly)})
	b.control(http.StatusOK, "terminate", obj{"id": "1"})
	e := next()
	require.Equal(t, []any{"employee.updated", "1"}, []any{e.Type, e.Data.EmployeeID}, "what is dated ahead is not told")
	require.Equal(t, []string{"status", "terminationDate", "employmentHistoryStatus"}, e.Data.ChangedFields)
	b.control(http.StatusOK, "day", obj{"days": 5})
	require.Equal(t, "2", next().Data.EmployeeID, "on the day it is")
	b.control(http.StatusOK, "delete", obj{"id": "2"})
	require.Equal(t, "employee.deleted", next().Type)
	b.control(http.StatusOK, "hire", obj{"email": "n@example.com", "first": "N", "last": "N"})
	require.ElementsMatch(t, []string{"employee.created", "employee.updated"}, []string{next().Type, next().Type})
}

func TestTheOlderFamily(t *testing.T) {
	t.Parallel()
	r, forms := receive(t, http.StatusOK), receive(t, http.StatusOK)
	b := setup(t, bamboosim.Config{WebhookURL: r.url, WithFields: true})
	made := b.do(http.MethodPost, "/api/v1/webhooks", obj{
		"name": "form", "url": forms.url, "format": "form-encoded", "monitorFields": []string{"location"}, "postFields": obj{"location": "Place"},
	})
	require.Equal(t, http.StatusCreated, made.status, made.raw)
	b.control(http.StatusOK, "change", obj{"id": "2", "location": "Rome"})
	p := r.arrive(t, 1)[0]
	ok, _ := genuine(p, b.sim.Banner("").PrivateKey)
	require.True(t, ok)
	require.JSONEq(t, `{"employees":[{"id":"2","action":"Updated","changedFields":["Location"],
		"fields":{"Employee #":{"value":"1002"},"Status":{"value":"Active"},"Termination Date":{"value":"0000-00-00"}}}]}`, string(p.body))
	form := forms.arrive(t, 1)[0]
	ok, _ = genuine(form, made.body.(obj)["privateKey"].(string))
	require.True(t, ok)
	values, err := url.ParseQuery(string(form.body))
	require.NoError(t, err)
	require.Equal(t, "2", values.Get("data[0][id]"))
	require.Equal(t, "Rome", values.Get("data[0][fields][Place][value]"))
}

func TestWebhooksAreSentAgain(t *testing.T) {
	t.Parallel()
	const fast = 60_000 // 155 minutes of pauses last 155 ms
	refused, broken, mended := receive(t, http.StatusBadRequest), receive(t, http.StatusInternalServerError), receive(t, 500, 503, 200)
	sims := map[*receiver]*bench{}
	for _, r := range []*receiver{refused, broken, mended} {
		sims[r] = setup(t, bamboosim.Config{WebhookURL: r.url, Scale: fast})
		sims[r].control(http.StatusOK, "terminate", obj{"id": "2"})
	}
	settled := func(r *receiver, n int) {
		posts := r.arrive(t, n)
		sims[r].sim.Close() // which waits for what is under way
		require.Len(t, r.all(), n)
		require.Equal(t, posts[0].body, posts[n-1].body)
		require.Len(t, sims[r].sim.Deliveries(), n)
	}
	settled(broken, 6)
	settled(mended, 3)
	settled(refused, 1)
}

func TestNastyDeliveries(t *testing.T) {
	t.Parallel()
	r := receive(t, http.StatusOK)
	b := setup(t, bamboosim.Config{WebhookURL: r.url})
	key := b.sim.Banner("").PrivateKey
	told := 0
	send := func(kind string, n int) []post {
		b.control(http.StatusOK, "deliver", obj{"id": "2", "kind": kind})
		posts := r.arrive(t, told+n)[told:]
		told += n
		return posts
	}
	twice := send("duplicate", 2)
	require.Equal(t, twice[0].body, twice[1].body)
	require.Equal(t, twice[0].header.Get("X-BambooHR-Signature"), twice[1].header.Get("X-BambooHR-Signature"))
	order := send("out_of_order", 2)
	require.Contains(t, string(order[0].body), "employee.updated")
	require.Contains(t, string(order[1].body), "employee.created")
	require.Contains(t, string(send("wrong_company", 1)[0].body), `"99999"`)
	ok, age := genuine(send("stale", 1)[0], key)
	require.True(t, ok)
	require.Greater(t, age, 50*time.Minute)
	ok, _ = genuine(send("bad_signature", 1)[0], key)
	require.False(t, ok)
	b.control(http.StatusBadRequest, "deliver", obj{"id": "2", "kind": "odd"})
}

func TestWebhooksAreKept(t *testing.T) {
	t.Parallel()
	b := setup(t, bamboosim.Config{})
	hook := obj{
		"name": "sendoff", "url": "https://sendoff.example.com/hooks/hr", "format": "json", "monitorFields": []string{"status"},
		"events": []string{"employee.updated", "employee.deleted"},
	}
	made := b.do(http.MethodPost, "/api/v1/webhooks", hook)
	require.Equal(t, http.StatusCreated, made.status, made.raw)
	require.NotEmpty(t, made.body.(obj)["privateKey"])
	id := made.body.(obj)["id"].(string)
	require.NotContains(t, b.get("/webhooks/"+id), "privateKey", "it is shown once")
	require.Len(t, b.get("/webhooks")["webhooks"], 1)
	hook["name"] = "other"
	require.Equal(t, http.StatusOK, b.do(http.MethodPut, "/api/v1/webhooks/"+id, hook).status)
	require.Equal(t, "other", b.get("/webhooks/" + id)["name"])
	b.get("/webhooks/monitor_fields")
	b.get("/webhooks/post-fields")

	b.control(http.StatusOK, "terminate", obj{"id": "2"}) // told to nobody: the address is not on loopback
	require.Eventually(t, func() bool { return len(b.sim.Deliveries()) > 0 }, 5*time.Second, 5*time.Millisecond)
	log := b.do(http.MethodGet, "/api/v1/webhooks/"+id+"/log", nil)
	require.Equal(t, []any{"2"}, log.body.([]any)[0].(obj)["employeeIds"])
	require.NoError(t, b.sim.SetSwitches(bamboosim.Switches{LogLimited: true}))
	require.EqualValues(t, 429, b.get("/webhooks/" + id + "/log")["error"].(obj)["code"])

	for name, change := range map[string]obj{
		"plain http": {"url": "http://sendoff.example.com"}, "no format": {"format": ""}, "unknown event": {"events": []string{"odd"}},
		"mixed": {"events": []string{"employee.updated", "employee_with_fields.updated"}}, "nothing monitored": {"monitorFields": []string{}},
		"unknown field": {"monitorFields": []string{"odd"}}, "no name": {"name": ""},
	} {
		bad := obj{}
		for k, v := range hook {
			bad[k] = v
		}
		for k, v := range change {
			bad[k] = v
		}
		require.Equal(t, http.StatusBadRequest, b.do(http.MethodPost, "/api/v1/webhooks", bad).status, name)
	}
	require.Equal(t, http.StatusOK, b.do(http.MethodDelete, "/api/v1/webhooks/"+id, nil).status)
	require.Equal(t, http.StatusNotFound, b.do(http.MethodGet, "/api/v1/webhooks/"+id, nil).status)
}
