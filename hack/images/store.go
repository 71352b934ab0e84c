// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// A Built is a line of images.json: an image that is there to be pushed.
type Built struct {
	Name   string `json:"name"`
	Tag    string `json:"tag"`
	Digest string `json:"digest"`
	// Size is of manifest, config and compressed layers, in bytes.
	Size int64 `json:"size"`
}

// indexFile names the list of built images in the store.
const indexFile = "images.json"

// revisionLabel is where tools look for what an image was built from.
const revisionLabel = "org.opencontainers.image.revision"

// systemPath is where programs are found in every image.
const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// refAnnotation is where tools look for an image's name in an OCI layout.
const refAnnotation = "org.opencontainers.image.ref.name"

// A store is an OCI layout with the images that were built last, and a cache of
// layers beside it. Whatever is in a blob's place is whole: blobs are written
// elsewhere and renamed.
type store struct {
	dir  string
	path layout.Path
}

// openStore opens the layout in dir, or makes an empty one.
func openStore(dir string) (*store, error) {
	p, err := layout.FromPath(dir)
	if err != nil {
		if p, err = layout.Write(dir, empty.Index); err != nil {
			return nil, fmt.Errorf("image store %s: %w", dir, err)
		}
	}
	for _, sub := range []string{"layers", "blobs/sha256"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, err
		}
	}
	return &store{dir: dir, path: p}, nil
}

// layer returns a layer, packing its files only when it is not in the store.
func (s *store) layer(l Layer) (v1.Layer, error) {
	key, err := l.Key()
	if err != nil {
		return nil, err
	}
	mark := filepath.Join(s.dir, "layers", key+".json")
	var d digests
	if data, err := os.ReadFile(mark); err == nil && json.Unmarshal(data, &d) == nil {
		if info, err := os.Stat(s.blob(d.Digest)); err == nil && info.Size() == d.Size {
			return s.packed(d)
		}
	}
	tmp, err := os.CreateTemp(filepath.Join(s.dir, "layers"), ".packing-")
	if err != nil {
		return nil, err
	}
	defer os.Remove(tmp.Name())
	defer tmp.Close()
	if d, err = l.write(tmp); err != nil {
		return nil, err
	}
	if err := errors.Join(tmp.Chmod(0o644), tmp.Close(), os.Rename(tmp.Name(), s.blob(d.Digest))); err != nil {
		return nil, err
	}
	if err := writeJSON(mark, d); err != nil {
		return nil, err
	}
	return s.packed(d)
}

// image puts an image together from its layers.
func (s *store) image(i Image) (v1.Image, error) {
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	var layers []v1.Layer
	for _, l := range i.Layers {
		layer, err := s.layer(l)
		if err != nil {
			return nil, fmt.Errorf("image %s: %w", i.Ref(), err)
		}
		layers = append(layers, layer)
	}
	image, err := mutate.AppendLayers(base, layers...)
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", i.Ref(), err)
	}
	file, err := image.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", i.Ref(), err)
	}
	file = file.DeepCopy()
	file.OS, file.Architecture = "linux", architecture
	file.Created = v1.Time{Time: time.Unix(0, 0).UTC()}
	for n := range file.History {
		file.History[n].Created = file.Created
	}
	file.Config.Entrypoint, file.Config.User = i.Entrypoint, i.User
	file.Config.Env = append([]string{"PATH=" + strings.Join(append(i.Path, systemPath), ":")}, i.Env...)
	if i.Revision != "" {
		file.Config.Labels = map[string]string{revisionLabel: i.Revision}
	}
	return mutate.ConfigFile(image, file)
}

// save makes images the content of the store.
func (s *store) save(images []Image) ([]Built, error) {
	index := v1.ImageIndex(empty.Index)
	var built []Built
	for _, i := range images {
		image, err := s.image(i)
		if err != nil {
			return nil, err
		}
		if err := s.path.WriteImage(image); err != nil {
			return nil, fmt.Errorf("image %s: %w", i.Ref(), err)
		}
		b, err := describe(i, image)
		if err != nil {
			return nil, fmt.Errorf("image %s: %w", i.Ref(), err)
		}
		built = append(built, b)
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        image,
			Descriptor: v1.Descriptor{Annotations: map[string]string{refAnnotation: i.Ref()}},
		})
	}
	if err := s.path.WriteIndex(index); err != nil {
		return nil, fmt.Errorf("image store %s: %w", s.dir, err)
	}
	manifest, err := index.RawManifest()
	if err != nil {
		return nil, err
	}
	if err := writeFile(filepath.Join(s.dir, "index.json"), manifest); err != nil {
		return nil, err
	}
	return built, writeJSON(filepath.Join(s.dir, indexFile), built)
}

// describe makes an image's line for images.json.
func describe(i Image, image v1.Image) (Built, error) {
	digest, err := image.Digest()
	if err != nil {
		return Built{}, err
	}
	manifest, err := image.Manifest()
	if err != nil {
		return Built{}, err
	}
	size, err := image.Size()
	if err != nil {
		return Built{}, err
	}
	size += manifest.Config.Size
	for _, l := range manifest.Layers {
		size += l.Size
	}
	return Built{Name: i.Name, Tag: i.Tag, Digest: digest.String(), Size: size}, nil
}

// list reads what was built last.
func (s *store) list() ([]Built, error) {
	data, err := os.ReadFile(filepath.Join(s.dir, indexFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no images are built: run 'go run ./hack/images build'")
	}
	if err != nil {
		return nil, err
	}
	var built []Built
	if err := json.Unmarshal(data, &built); err != nil {
		return nil, fmt.Errorf("%s: %w; build the images again", indexFile, err)
	}
	return built, nil
}

func (s *store) blob(digest string) string {
	return filepath.Join(s.dir, "blobs", "sha256", strings.TrimPrefix(digest, "sha256:"))
}

// packed is a layer whose bytes are in the store.
func (s *store) packed(d digests) (v1.Layer, error) {
	digest, err := v1.NewHash(d.Digest)
	if err != nil {
		return nil, err
	}
	diffID, err := v1.NewHash(d.DiffID)
	if err != nil {
		return nil, err
	}
	return partial.CompressedToLayer(&blob{path: s.blob(d.Digest), digest: digest, diffID: diffID, size: d.Size})
}

// blob is a compressed layer in a file.
type blob struct {
	path           string
	digest, diffID v1.Hash
	size           int64
}

func (b *blob) Digest() (v1.Hash, error)            { return b.digest, nil }
func (b *blob) DiffID() (v1.Hash, error)            { return b.diffID, nil }
func (b *blob) Compressed() (io.ReadCloser, error)  { return os.Open(b.path) }
func (b *blob) Size() (int64, error)                { return b.size, nil }
func (b *blob) MediaType() (types.MediaType, error) { return types.OCILayer, nil }

// writeJSON writes a value for people to read, in one step.
func writeJSON(path string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(path, append(data, '\n'))
}

// writeFile replaces a file in one step.
func writeFile(path string, data []byte) error {
	tmp := path + ".new"
	if err := os.WriteFile(tmp, data, 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
