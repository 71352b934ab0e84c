// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// programTag is the tag of our own programs' images. It stays the same: what
// runs is chosen by digest, so that a new build is a change of the digest.
const programTag = "dev"

// ourPrograms are built from this checkout: the image's name, and the folder
// of its main package below operators/cmd.
var ourPrograms = []struct{ image, folder string }{
	{"spine-manager", "manager"},
	{"message-gateway", "message-gateway"},
	{"booking-service", "booking-service"},
}

// programImages builds our programs and makes an image of each. dir is the
// store's; root is the top of the repository.
func programImages(ctx context.Context, root, dir string) ([]Image, error) {
	var images []Image
	for _, p := range ourPrograms {
		source, err := program(ctx, root, dir, p.folder)
		if err != nil {
			return nil, fmt.Errorf("image %s: %w", p.image, err)
		}
		path := "/" + p.folder
		images = append(images, Image{
			Name: p.image, Tag: programTag, Entrypoint: []string{path}, User: nobody,
			Layers: []Layer{{File{Path: path, Source: source, Mode: 0o755}, scratch}},
		})
	}
	return images, nil
}

// program builds one below operators/cmd and says where it is kept.
func program(ctx context.Context, root, dir, folder string) (string, error) {
	bin := filepath.Join(dir, "programs", "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return "", err
	}
	built := filepath.Join(bin, folder)
	if err := compile(ctx, root, "./operators/cmd/"+folder, built); err != nil {
		return "", err
	}
	return keep(built, filepath.Join(dir, "programs"))
}

// compile builds a program, static and the same on every machine. Go leaves the
// file alone when nothing that is in it has changed.
func compile(ctx context.Context, root, pkg, out string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-mod=readonly", "-trimpath", "-ldflags=-s -w", "-o", out, pkg)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, bytes.TrimSpace(stderr.Bytes()))
	}
	return nil
}

// keep links a built file into a folder named after its content, as sources of
// layers are never changed in place.
func keep(file, dir string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	kept := filepath.Join(dir, hex.EncodeToString(h.Sum(nil))[:32], filepath.Base(file))
	if _, err := os.Stat(kept); err == nil {
		return kept, nil
	}
	if err := os.MkdirAll(filepath.Dir(kept), 0o755); err != nil {
		return "", err
	}
	// Go writes a new build to a new file, so the link keeps this one.
	return kept, os.Link(file, kept)
}
