# syntax=docker/dockerfile:1

FROM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=local
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X sendoff/internal/cli.version=${VERSION}" -o /out/sendoff ./cmd/sendoff

# No shell and no package manager: CA certificates, time zones, one binary.
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/sendoff /sendoff
USER 65532:65532
ENTRYPOINT ["/sendoff"]
