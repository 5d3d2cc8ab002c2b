package secret

import (
	"errors"
	"fmt"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/proto"
)

const (
	payloadEncoding = "binary/encrypted"  // as Temporal's tools name such payloads
	metadataKeyID   = "encryption-key-id" // likewise
)

// ErrPlainPayload means that a payload in Temporal was not sealed by sendoff.
// It is refused: whoever can write to Temporal but has no key must not be able
// to feed our workflows.
var ErrPlainPayload = errors.New("payload is not encrypted, refused")

// PayloadCodec seals each payload whole, metadata included, bound to the key id
// and to the namespace. Workflow and activity ids are not bound in: payloads
// move between them, and what context a codec is told differs by SDK version.
type PayloadCodec struct {
	keyring   *Keyring
	namespace string
}

var _ converter.PayloadCodec = (*PayloadCodec)(nil)

// NewPayloadCodec returns a codec for one namespace.
func NewPayloadCodec(keyring *Keyring, namespace string) *PayloadCodec {
	return &PayloadCodec{keyring: keyring, namespace: namespace}
}

// Converters returns what a Temporal client, worker and replayer of one
// namespace need so that no argument, result, message or stack trace reaches
// the server in plain. Ids, type names, search attributes and headers stay
// readable: nothing personal may be in them.
func Converters(keyring *Keyring, namespace string) (converter.DataConverter, converter.FailureConverter) {
	data := converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), NewPayloadCodec(keyring, namespace))
	failure := temporal.NewDefaultFailureConverter(temporal.DefaultFailureConverterOptions{
		DataConverter:          data,
		EncodeCommonAttributes: true,
	})
	return data, failure
}

// Encode seals payloads with the current key.
func (c *PayloadCodec) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	sealed := make([]*commonpb.Payload, len(payloads))
	for i, payload := range payloads {
		plaintext, err := proto.Marshal(payload)
		if err != nil {
			return nil, fmt.Errorf("encode payload %d: %w", i, err)
		}
		data, err := c.keyring.Seal(PurposePayload, c.aad(), plaintext)
		if err != nil {
			return nil, fmt.Errorf("encode payload %d: %w", i, err)
		}
		sealed[i] = &commonpb.Payload{
			Metadata: map[string][]byte{
				converter.MetadataEncoding: []byte(payloadEncoding),
				metadataKeyID:              []byte(c.keyring.KeyID().String()),
			},
			Data: data,
		}
	}
	return sealed, nil
}

// Decode opens payloads. It fails with ErrPlainPayload for one that is not
// sealed, and as Keyring.Open does.
func (c *PayloadCodec) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	opened := make([]*commonpb.Payload, len(payloads))
	for i, payload := range payloads {
		plain, err := c.decode(payload)
		if err != nil {
			return nil, fmt.Errorf("decode payload %d: %w", i, err)
		}
		opened[i] = plain
	}
	return opened, nil
}

func (c *PayloadCodec) decode(payload *commonpb.Payload) (*commonpb.Payload, error) {
	if string(payload.GetMetadata()[converter.MetadataEncoding]) != payloadEncoding {
		return nil, ErrPlainPayload
	}
	id, err := SealedWith(payload.GetData())
	if err != nil {
		return nil, err
	}
	if claimed := payload.GetMetadata()[metadataKeyID]; string(claimed) != id.String() {
		return nil, fmt.Errorf("%w: its metadata names key %q, its content %s", ErrAuthentication, claimed, id)
	}
	plaintext, err := c.keyring.Open(PurposePayload, c.aad(), payload.GetData())
	if err != nil {
		return nil, err
	}
	plain := &commonpb.Payload{}
	if err := proto.Unmarshal(plaintext, plain); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return plain, nil
}

// aad binds to the namespace; Seal adds the key id.
func (c *PayloadCodec) aad() AAD { return NewAAD("temporal namespace", c.namespace) }
