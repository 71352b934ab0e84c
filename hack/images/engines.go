// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"

	"spine.nhs.uk/controlplane/hack/images/debian"
	"spine.nhs.uk/controlplane/hack/tools/cachedir"
	"spine.nhs.uk/controlplane/hack/tools/toolbox"
)

// Tags of the engines' images: upstream's version as Debian's release has it,
// and a count of our own changes.
const (
	postgresqlTag = "17-2"
	rabbitmqTag   = "4.0-1"
)

// engineSystems are the root file systems of the engines' images, and that of hosts, of
// which tests run the name server.
var engineSystems = []debian.System{debian.PostgreSQL, debian.RabbitMQ, debian.Hosts}

// engines builds the engines' root file systems and prints a folder with a link
// to each by its name, for tests that run the very engines that sites run.
func engines(ctx context.Context, cache string, progress func(string), stdout io.Writer) error {
	built, err := ensureEngines(ctx, cache, progress)
	if err != nil {
		return err
	}
	h := sha256.New()
	for _, s := range engineSystems {
		fmt.Fprintln(h, filepath.Base(built[s.Name]))
	}
	// Named after what it leads to, so that tests under way keep theirs.
	dir := filepath.Join(cache, "engines", hex.EncodeToString(h.Sum(nil))[:16])
	for _, s := range engineSystems {
		if err := cachedir.Link(built[s.Name], filepath.Join(dir, s.Name)); err != nil {
			return err
		}
	}
	fmt.Fprintln(stdout, dir)
	return nil
}

// ensureEngines returns the engines' root file systems by name.
func ensureEngines(ctx context.Context, cache string, progress func(string)) (map[string]string, error) {
	built := map[string]string{}
	for _, s := range engineSystems {
		system, err := debian.Ensure(ctx, cache, s, func(line string) { progress(s.Name + ": " + line) })
		if err != nil {
			return nil, err
		}
		if system.Made {
			progress(fmt.Sprintf("%s: built in %.0f s", s.Name, system.Took.Seconds()))
		}
		built[s.Name] = system.Dir
	}
	return built, nil
}

// walArchive is the folder of the program that takes PostgreSQL's log to the archive and back,
// and walPrograms are its names there: they are found before Barman's own.
const walArchive = "wal-archive"

var walPrograms = []string{"barman-cloud-wal-archive", "barman-cloud-wal-restore"}

// engineImages are the engines, from their root file systems by name, and the
// operator that puts a file of its own into their pods. archiver is the built
// walArchive.
func engineImages(systems map[string]string, archiver string, find finder) ([]Image, error) {
	postgresql, err := tree(systems[debian.PostgreSQL.Name])
	if err != nil {
		return nil, err
	}
	rabbitmq, err := tree(systems[debian.RabbitMQ.Name])
	if err != nil {
		return nil, err
	}
	operator, err := cloudNativePG(find)
	if err != nil {
		return nil, err
	}
	archiving := Layer{{Path: binaries + "/" + walArchive, Source: archiver, Mode: 0o755}}
	for _, name := range walPrograms {
		archiving = append(archiving, File{Path: binaries + "/" + name, Link: walArchive})
	}
	return []Image{
		{
			Name: debian.PostgreSQL.Name, Tag: postgresqlTag, User: "26:26",
			Layers: []Layer{postgresql, archiving},
			Path:   []string{"/usr/lib/postgresql/17/bin"}, Env: []string{"LANG=C.UTF-8"},
		},
		{
			Name: debian.RabbitMQ.Name, Tag: rabbitmqTag, Layers: []Layer{rabbitmq}, User: "999:999",
			Entrypoint: []string{"rabbitmq-server"},
			// Before Debian's wrappers, which want to be root.
			Path: []string{"/usr/lib/rabbitmq/bin"},
			Env:  []string{"LANG=C.UTF-8", "HOME=/var/lib/rabbitmq", "RABBITMQ_LOGS=-"},
		},
		operator,
	}, nil
}

// cloudNativePG has its program where it looks for itself, by architecture, to
// copy it into the pods of instances.
func cloudNativePG(find finder) (Image, error) {
	const name = "cloudnative-pg"
	tool, err := toolbox.Find(name)
	if err != nil {
		return Image{}, err
	}
	binary, err := find(name)
	if err != nil {
		return Image{}, err
	}
	path := "operator/manager_" + architecture
	return Image{
		Name: name, Tag: tool.Version, Entrypoint: []string{"/manager"}, User: nobody,
		Layers: []Layer{{
			File{Path: "/" + path, Source: binary, Mode: 0o755}, File{Path: "/manager", Link: path}, scratch,
		}},
	}, nil
}
