// SPDX-License-Identifier: Apache-2.0

// Package manager is our own operators, which run in one program, and the
// namespaces that they work in.
package manager

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"io/fs"
	"path"

	"spine.nhs.uk/controlplane/infra/component/manifests"
)

//go:embed namespaces.yaml
var files embed.FS

const namespace = "spine-system"

// Args are what the manager has to know of its site.
type Args struct {
	// EdgeAddress is where traffic from outside enters.
	EdgeAddress string
	// APIServers are the networks that the API servers are in, which listen on APIPort.
	APIServers []string
	APIPort    int
	// Hosts that it may switch; nil leaves hosts alone.
	Hosts *Hosts
	// ThirdPlace is for one of two sites; nil for a site alone.
	ThirdPlace *ThirdPlace
	// Class is the environment's: Live, for example. Empty: nobody knows, and nothing sleeps.
	Class string
	// Operations are the rules of operations: a struct with JSON tags, as the manager's file
	// has them. Nil: the manager's own defaults.
	Operations any
}

// values are what the operators' files refer to.
type values struct {
	// Image is the manager's, EdgeAddress where traffic from outside enters.
	Image, EdgeAddress string
	// Class is the environment's.
	Class string
	// HostsDir is where the manager finds the hosts' inventory; empty when there is
	// none. SSHPort is the port of the hosts' SSH daemons.
	HostsDir string
	SSHPort  int
	// PeerKubeconfig, WitnessDir and TrafficDir are where one of two sites' manager finds what it
	// needs; empty for a site alone.
	PeerKubeconfig, WitnessDir, TrafficDir string
	// ThirdPlace is what holds the vote and the names: NameServer or AWS.
	ThirdPlace string
	// OperationsDigest changes with the rules of operations, so that pods read them anew.
	OperationsDigest string
}

func (a Args) values(image, operations string) values {
	digest := sha256.Sum256([]byte(operations))
	v := values{Image: image, EdgeAddress: a.EdgeAddress, Class: a.Class, SSHPort: 22, ThirdPlace: kindNameServer, OperationsDigest: hex.EncodeToString(digest[:8])}
	if a.Hosts != nil {
		v.HostsDir, v.SSHPort = "/etc/spine/hosts", a.Hosts.SSHPort
	}
	if a.ThirdPlace != nil {
		v.PeerKubeconfig, v.WitnessDir, v.TrafficDir = "/etc/spine/peer/kubeconfig", "/etc/spine/witness", "/etc/spine/traffic"
		v.ThirdPlace = a.ThirdPlace.kind()
	}
	return v
}

// Set returns the manager of the operators' files, with definitions, rights and
// admission policies.
func Set(operators fs.FS, args Args, in manifests.Inputs) (manifests.Set, error) {
	if len(args.APIServers) == 0 {
		return manifests.Set{}, errors.New("the networks of the API servers are missing, and the manager would be let out to all")
	}
	image, err := in.Images.Ref("spine-manager")
	if err != nil {
		return manifests.Set{}, err
	}
	operations, err := args.operations()
	if err != nil {
		return manifests.Set{}, err
	}
	in.Values = args.values(image, operations)
	paths, err := texts(operators, args.ThirdPlace != nil)
	if err != nil {
		return manifests.Set{}, err
	}
	set, err := manifests.Render("manager", namespace, operators, paths, in)
	if err != nil {
		return manifests.Set{}, err
	}
	namespaces, err := manifests.Render("manager", namespace, files, []string{"namespaces.yaml"}, in)
	if err != nil {
		return manifests.Set{}, err
	}
	if err := set.Add(rules(operations), in.Labels); err != nil {
		return manifests.Set{}, err
	}
	if err := set.Add(policy("spine-manager-api", egress(args.APIServers, args.APIPort)), in.Labels); err != nil {
		return manifests.Set{}, err
	}
	if args.Hosts != nil {
		if err := args.Hosts.add(set, in.Labels); err != nil {
			return manifests.Set{}, err
		}
	}
	if args.ThirdPlace != nil {
		if err := args.ThirdPlace.add(set, in.Labels); err != nil {
			return manifests.Set{}, err
		}
	}
	return set.With(namespaces)
}

// pairFolder of the operators' files is for one of two sites.
const pairFolder = "pair"

// texts are the paths of the operators' files that a site needs.
func texts(operators fs.FS, pair bool) ([]string, error) {
	var paths []string
	err := fs.WalkDir(operators, ".", func(p string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case p == pairFolder && !pair:
			return fs.SkipDir
		case !entry.IsDir() && path.Ext(p) == ".yaml":
			paths = append(paths, p)
		}
		return nil
	})
	return paths, err
}
