#!/usr/bin/env bash
# Builds one pinned tool of tools/go.mod once per version and prints the path of its binary.
# usage: tools/ensure.sh golangci-lint|gofumpt|workflowcheck
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
name=${1:-}
case $name in
golangci-lint) module=github.com/golangci/golangci-lint/v2 package=$module/cmd/golangci-lint ;;
gofumpt) module=mvdan.cc/gofumpt package=$module ;;
workflowcheck) module=go.temporal.io/sdk/contrib/tools/workflowcheck package=$module ;;
*)
	echo "tools/ensure.sh: unknown tool '$name': name golangci-lint, gofumpt or workflowcheck" >&2
	exit 2
	;;
esac

# The Go release is part of the key: an analyser built with an older Go cannot read a newer one's packages.
version=$(go -C "$here" list -m -f '{{.Version}}' "$module")
dir=${XDG_CACHE_HOME:-$HOME/.cache}/sendoff/tools/$name-$version-$(go env GOVERSION)
binary=$dir/$name

if [[ ! -x $binary ]]; then
	echo "building $name $version once into $dir (golangci-lint takes minutes, the others seconds)" >&2
	mkdir -p "$dir"
	tmp=$(mktemp "$dir/.$name.XXXXXX")
	trap 'rm -f "$tmp"' EXIT
	go -C "$here" build -trimpath -o "$tmp" "$package"
	chmod 0755 "$tmp"
	mv "$tmp" "$binary" # atomic: two builds at once end with one whole binary
fi
echo "$binary"
