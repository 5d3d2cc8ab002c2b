package app

import (
	"go.temporal.io/sdk/converter"

	"sendoff/internal/secret"
)

// sealer lets the store encrypt with the keyring without importing it.
type sealer struct{ keys *secret.Keyring }

func (s sealer) Seal(purpose string, aad []byte, plain []byte) ([]byte, error) {
	return s.keys.Seal(secret.Purpose(purpose), secret.NewAAD(string(aad)), plain)
}

func (s sealer) Open(purpose string, aad []byte, sealed []byte) ([]byte, error) {
	return s.keys.Open(secret.Purpose(purpose), secret.NewAAD(string(aad)), sealed)
}

func converters(keys *secret.Keyring) func(string) (converter.DataConverter, converter.FailureConverter) {
	return func(namespace string) (converter.DataConverter, converter.FailureConverter) {
		return secret.Converters(keys, namespace)
	}
}
