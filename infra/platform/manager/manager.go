// SPDX-License-Identifier: Apache-2.0

// Package manager is our own operators, which run in one program, and the
// namespaces that they work in.
package manager

import (
	"embed"
	"io/fs"
	"path"

	"spine.nhs.uk/controlplane/infra/component/manifests"
)

//go:embed namespaces.yaml
var files embed.FS

// values are what the operators' files refer to.
type values struct {
	// Image is the manager's, EdgeAddress where traffic from outside enters.
	Image, EdgeAddress string
}

// Set returns the manager of the operators' files, with definitions, rights and
// admission policies.
func Set(operators fs.FS, edgeAddress string, in manifests.Inputs) (manifests.Set, error) {
	image, err := in.Images.Ref("spine-manager")
	if err != nil {
		return manifests.Set{}, err
	}
	in.Values = values{Image: image, EdgeAddress: edgeAddress}
	var paths []string
	err = fs.WalkDir(operators, ".", func(p string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && path.Ext(p) == ".yaml" {
			paths = append(paths, p)
		}
		return err
	})
	if err != nil {
		return manifests.Set{}, err
	}
	set, err := manifests.Render("manager", "spine-system", operators, paths, in)
	if err != nil {
		return manifests.Set{}, err
	}
	namespaces, err := manifests.Render("manager", "spine-system", files, []string{"namespaces.yaml"}, in)
	if err != nil {
		return manifests.Set{}, err
	}
	return set.With(namespaces)
}
