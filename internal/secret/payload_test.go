package secret_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/proto"

	"sendoff/internal/secret"
)

const canary = "canary-7f3a"

func TestConverters(t *testing.T) {
	t.Parallel()
	k := newKeyring(t)
	data, failures := secret.Converters(k, "sendoff")

	t.Run("round trip without plain text", func(t *testing.T) {
		t.Parallel()
		sealed, err := data.ToPayloads(canary, 7, nil, []byte(canary))
		require.NoError(t, err)
		raw, err := proto.Marshal(sealed)
		require.NoError(t, err)
		require.NotContains(t, string(raw), canary)
		require.NotContains(t, string(raw), "json/plain", "the inner encoding is sealed too")
		var text string
		var number int
		var nothing *string
		var bytes []byte
		require.NoError(t, data.FromPayloads(sealed, &text, &number, &nothing, &bytes))
		require.Equal(t, canary, text)
		require.Equal(t, 7, number)
		require.Nil(t, nothing)
		require.Equal(t, canary, string(bytes))
	})
	t.Run("failures without plain text", func(t *testing.T) {
		t.Parallel()
		cause := temporal.NewNonRetryableApplicationError(canary+" outer", "Refused", errors.New(canary+" inner"), canary)
		failure := failures.ErrorToFailure(cause)
		raw, err := proto.Marshal(failure)
		require.NoError(t, err)
		require.NotContains(t, string(raw), canary)
		var back *temporal.ApplicationError
		require.ErrorAs(t, failures.FailureToError(failure), &back)
		require.Equal(t, "Refused", back.Type())
		require.ErrorContains(t, back, canary+" outer")
		require.ErrorContains(t, errors.Unwrap(back), canary+" inner")
		var detail string
		require.NoError(t, back.Details(&detail))
		require.Equal(t, canary, detail)
	})
}

func TestPayloadCodec(t *testing.T) {
	t.Parallel()
	k := newKeyring(t)
	codec := secret.NewPayloadCodec(k, "sendoff")
	seal := func(t *testing.T) []*commonpb.Payload {
		t.Helper()
		plain, err := converter.GetDefaultDataConverter().ToPayload(canary)
		require.NoError(t, err)
		sealed, err := codec.Encode([]*commonpb.Payload{plain})
		require.NoError(t, err)
		return sealed
	}
	t.Run("refuses plain payloads", func(t *testing.T) {
		t.Parallel()
		plain, err := converter.GetDefaultDataConverter().ToPayload(canary)
		require.NoError(t, err)
		for _, payload := range []*commonpb.Payload{plain, {}, {Data: seal(t)[0].Data}} {
			_, err := codec.Decode([]*commonpb.Payload{payload})
			require.ErrorIs(t, err, secret.ErrPlainPayload)
			require.NotContains(t, err.Error(), canary)
		}
	})
	t.Run("refuses a plain payload that claims to be sealed", func(t *testing.T) {
		t.Parallel()
		claimed := seal(t)
		claimed[0].Data = []byte(canary)
		_, err := codec.Decode(claimed)
		require.ErrorIs(t, err, secret.ErrMalformed)
	})
	t.Run("is bound to the namespace", func(t *testing.T) {
		t.Parallel()
		_, err := secret.NewPayloadCodec(k, "other").Decode(seal(t))
		require.ErrorIs(t, err, secret.ErrAuthentication)
	})
	t.Run("is bound to the key id in the metadata", func(t *testing.T) {
		t.Parallel()
		relabelled := seal(t)
		relabelled[0].Metadata["encryption-key-id"] = []byte(newKeyring(t).KeyID().String())
		_, err := codec.Decode(relabelled)
		require.ErrorIs(t, err, secret.ErrAuthentication)
	})
	t.Run("needs the key", func(t *testing.T) {
		t.Parallel()
		_, err := secret.NewPayloadCodec(newKeyring(t), "sendoff").Decode(seal(t))
		require.ErrorIs(t, err, secret.ErrUnknownKey)
	})
	t.Run("leaves its arguments alone", func(t *testing.T) {
		t.Parallel()
		plain, err := converter.GetDefaultDataConverter().ToPayload(canary)
		require.NoError(t, err)
		before := proto.Clone(plain)
		_, err = codec.Encode([]*commonpb.Payload{plain})
		require.NoError(t, err)
		require.True(t, proto.Equal(before, plain))
	})
}
