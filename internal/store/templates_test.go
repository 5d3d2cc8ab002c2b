package store_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/schema"
)

// fromFile is a template as its file says it; looked is the version that whoever
// applies it has seen.
func fromFile(name, source string, looked int) schema.Template {
	return schema.Template{
		Name: name, Version: looked, Title: "T", Source: source, Approvals: 1, Receivers: []string{"lead@example.com"},
		Steps: []schema.StepFact{
			{Kind: schema.StepSnapshot},
			{Kind: schema.StepSuspend},
			{Kind: schema.StepNotify, StepParams: schema.StepParams{Channel: schema.ChannelMail, To: []string{"it@example.com"}, Message: "m"}},
			{Kind: schema.StepWait, StepParams: schema.StepParams{Until: "2026-12-31T17:00:00Z"}},
			{Kind: schema.StepManual, WaitSeconds: 60, StepParams: schema.StepParams{Title: "t", Owner: "o"}},
		},
	}
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	names := func() []string {
		list, _, err := b.ListTemplates(ctx, "", 100)
		require.NoError(t, err)
		var out []string
		for _, tmpl := range list {
			out = append(out, tmpl.Name)
		}
		return out
	}

	applied, err := b.ApplyTemplates(ctx, []schema.Template{fromFile("freeze", "f1", 0), fromFile("contractor", "c1", 0)}, b.admin)
	require.NoError(t, err)
	require.Equal(t, "freeze", applied[0].Name, "in the order of the files")
	got, err := b.Template(ctx, "contractor")
	require.NoError(t, err)
	require.Equal(t, applied[1], got)
	require.Equal(t, "admin", got.UpdatedBy)
	require.False(t, got.UpdatedAt.IsZero())
	want := fromFile("contractor", "c1", 1)
	require.Equal(t, want.Steps, got.Steps)
	require.Equal(t, want.Receivers, got.Receivers)
	require.Equal(t, []string{"contractor", "delete", "freeze", "leaver", "suspend", "transfer"}, names())

	t.Run("a file that says nothing new makes no version, another one does", func(t *testing.T) {
		same, err := b.ApplyTemplates(ctx, []schema.Template{fromFile("contractor", "c1", 1)}, b.admin)
		require.NoError(t, err)
		require.Equal(t, got, same[0])
		next, err := b.ApplyTemplates(ctx, []schema.Template{fromFile("contractor", "c2", 1)}, b.admin)
		require.NoError(t, err)
		require.Equal(t, 2, next[0].Version)
		old, err := b.TemplateVersion(ctx, "contractor", 1)
		require.NoError(t, err)
		require.Equal(t, "c1", old.Source)
		_, err = b.TemplateVersion(ctx, "contractor", 3)
		requireCode(t, schema.CodeNotFound, err)
	})

	t.Run("one that changed since it was looked at stops them all", func(t *testing.T) {
		_, err := b.ApplyTemplates(ctx, []schema.Template{fromFile("aaa", "a", 0), fromFile("contractor", "c3", 1)}, b.admin)
		requireCode(t, schema.CodeConflict, err)
		_, err = b.Template(ctx, "aaa")
		requireCode(t, schema.CodeNotFound, err)
	})

	t.Run("of two who apply at once one is told", func(t *testing.T) {
		var wg sync.WaitGroup
		errs := make([]error, 4)
		for i := range errs {
			wg.Go(func() {
				_, errs[i] = b.ApplyTemplates(ctx, []schema.Template{fromFile("race", string(rune('a'+i)), 0), fromFile("freeze", "f1", 1)}, b.admin)
			})
		}
		wg.Wait()
		done := 0
		for _, err := range errs {
			if err == nil {
				done++
				continue
			}
			requireCode(t, schema.CodeConflict, err)
		}
		require.Equal(t, 1, done)
	})

	t.Run("a list continues where a page ended", func(t *testing.T) {
		var paged []string
		for after := ""; ; {
			list, next, err := b.ListTemplates(ctx, after, 2)
			require.NoError(t, err)
			for _, tmpl := range list {
				paged = append(paged, tmpl.Name)
			}
			if after = next; after == "" {
				break
			}
		}
		require.Equal(t, names(), paged)
	})

	t.Run("removed, its versions stay, and a new one counts on", func(t *testing.T) {
		gone, err := b.RemoveTemplate(ctx, "contractor", "nobody uses it", b.admin)
		require.NoError(t, err)
		require.Equal(t, 2, gone.Version)
		_, err = b.Template(ctx, "contractor")
		requireCode(t, schema.CodeNotFound, err)
		_, err = b.RemoveTemplate(ctx, "contractor", "again", b.admin)
		requireCode(t, schema.CodeNotFound, err)
		require.NotContains(t, names(), "contractor")
		old, err := b.TemplateVersion(ctx, "contractor", 2)
		require.NoError(t, err)
		require.Equal(t, "c2", old.Source)
		back, err := b.ApplyTemplates(ctx, []schema.Template{fromFile("contractor", "c2", 0)}, b.admin)
		require.NoError(t, err)
		require.Equal(t, 3, back[0].Version)
	})

	t.Run("those built in stay what they are", func(t *testing.T) {
		_, err := b.ApplyTemplates(ctx, []schema.Template{fromFile("leaver", "l", 1)}, b.admin)
		requireCode(t, schema.CodeConflict, err)
		_, err = b.RemoveTemplate(ctx, "leaver", "r", b.admin)
		requireCode(t, schema.CodeConflict, err)
		leaver, err := b.TemplateVersion(ctx, "leaver", 1)
		require.NoError(t, err)
		require.True(t, leaver.Builtin)
	})

	t.Run("each change is audited, without addresses", func(t *testing.T) {
		var applies, removes, logged int
		require.NoError(t, b.sql().QueryRow(ctx, `select count(*) filter (where body like '%"template.applied"%'),
				count(*) filter (where body like '%"template.removed"%'), count(*) filter (where body like '%lead@example.com%')
			from (select convert_from(body, 'UTF8') as body from audit_record) r`).Scan(&applies, &removes, &logged))
		require.Equal(t, []int{5, 1, 0}, []int{applies, removes, logged})
	})

	_, err = b.ApplyTemplates(ctx, []schema.Template{fromFile("x", "x", 0)}, schema.Principal{})
	requireCode(t, schema.CodeUnauthorized, err)
}
