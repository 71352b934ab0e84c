// SPDX-License-Identifier: Apache-2.0

package main

import "strings"

// layer is one row of the design's table of folders: what packages there may import.
type layer struct {
	// paths are the folders of the layer. Packages below one of them may import each other.
	paths []string
	// internal lists what else of this module they may import, by folder.
	internal []string
	// external lists the other modules' packages that they may import directly, by prefix.
	// nil allows all; the standard library is always allowed.
	external []string
	// apart forbids the folders directly below a path from importing each other.
	apart bool
	// why ends the message: the idea that the rule keeps.
	why string
}

var none = []string{}

const (
	pulumiSDK = "github.com/pulumi/pulumi/sdk/v3"
	// validation holds package field, for error lists with paths, and the rules for names.
	validation = "k8s.io/apimachinery/pkg/util/validation"
)

// layers is the whole module. A package belongs to the layer with the longest matching
// path; a package that belongs to none is a finding.
var layers = []layer{
	{paths: []string{"environments"}, internal: none, external: []string{validation},
		why: "configuration is data for anyone: stacks joins environments and infra"},

	{paths: []string{"infra/naming", "infra/tags"}, internal: none, external: none,
		why: "names and tags are pure"},
	{paths: []string{"infra/component"}, internal: []string{"infra/naming", "infra/tags"},
		why: "results are neutral of where they stand"},
	{paths: []string{"infra/aws"}, internal: []string{"infra/component", "infra/naming", "infra/tags"},
		why: "AWS and bare metal never see each other, nor the configuration"},
	{paths: []string{"infra/baremetal"}, internal: []string{"infra/component", "infra/naming", "infra/tags", "infra/provider/sdk"},
		why: "bare metal sees the provider through its SDK only, and never AWS or the configuration"},
	{paths: []string{"infra/provider"}, internal: none,
		why: "the provider is a program of its own, without program code of Pulumi's"},
	{paths: []string{"infra/provider/sdk"}, internal: none, external: []string{pulumiSDK, "github.com/blang/semver"},
		why: "programs must be able to import the SDK without the provider's libraries"},
	{paths: []string{"infra/platform"}, internal: []string{"infra/component", "infra/naming", "infra/tags", "infra/provider/sdk", "operators/manifests"},
		why: "the platform cannot tell what a cluster stands on"},
	{paths: []string{"infra/policy"}, internal: none, external: []string{pulumiSDK, "google.golang.org/protobuf"},
		why: "rules are pure functions over planned resources, in the form in which the engine sends them"},
	{paths: []string{"infra/audit", "infra/cost"}, internal: []string{"infra/policy"}, external: []string{pulumiSDK},
		why: "reports are pure: same input, same bytes"},
	{paths: []string{"infra/backend"}, internal: []string{"infra/audit", "infra/policy"},
		why: "the control-plane service judges plans, it does not make them"},
	{paths: []string{"infra/cmd"}, internal: []string{"infra"},
		why: "binaries of infra wire infra"},

	{paths: []string{"stacks"}, internal: []string{"environments", "infra", "operators/manifests"},
		why: "stacks joins environments and infra, and takes of the operators only their manifests"},

	{paths: []string{"operators/api"}, internal: none, external: []string{"k8s.io/apimachinery", "k8s.io/api", "sigs.k8s.io/yaml", "sigs.k8s.io/json"},
		why: "the API is types, and how they are read"},
	{paths: []string{"operators/decide"}, internal: []string{"operators/api"}, external: []string{"k8s.io/apimachinery", "k8s.io/api"},
		why: "decisions are pure: no client"},
	{paths: []string{"operators/desired"}, internal: []string{"operators/api"},
		why: "builders know the API only"},
	{paths: []string{"operators/ports"}, internal: []string{"operators/api"},
		why: "ports are interfaces in the API's words"},
	{paths: []string{"operators/adapters"}, internal: []string{"operators/ports", "operators/api"}, apart: true,
		why: "adapters stand behind ports, each alone"},
	{paths: []string{"operators/kit"}, internal: []string{"operators/api"},
		why: "the kit serves every controller"},
	{paths: []string{"operators/controllers"}, apart: true,
		internal: []string{"operators/api", "operators/decide", "operators/desired", "operators/ports", "operators/kit"},
		why:      "a controller knows neither its siblings nor any adapter: cmd wires them"},
	{paths: []string{"operators/workloads"}, internal: []string{"operators/api", "operators/workloads/kit"}, apart: true,
		why: "workloads are not controllers, and know nothing of each other"},
	{paths: []string{"operators/workloads/kit"}, internal: none,
		why: "what all workloads share knows none of them"},
	{paths: []string{"operators/manifests"}, internal: none, external: none,
		why: "manifests are generated files"},
	{paths: []string{"operators/cmd"}, internal: []string{"operators", "runbooks"},
		why: "binaries of operators wire operators; the on-call plugin carries the pages"},
	{paths: []string{"operators/operatortest"},
		internal: []string{"operators/api", "operators/decide", "operators/desired", "operators/ports", "operators/kit", "operators/manifests"},
		why:      "test helpers serve every controller"},

	{paths: []string{"runbooks"}, internal: []string{"operators/api"}, external: none,
		why: "runbooks are pages, held against the reasons of the API"},
	{paths: []string{"hack"}, internal: []string{""},
		why: "tools of the repository"},
}

// testOnly are folders that tests of their neighbours may import besides what code may.
var testOnly = map[string]string{"operators/operatortest": "operators", "operators/manifests": "operators"}

// never lists what must not be reached at all, not even through other modules.
var never = []struct{ from, target, why string }{
	{"operators", "github.com/pulumi", "operators run in clusters and know nothing of provisioning"},
	{"environments", "github.com/pulumi", "configuration is read without Pulumi too"},
}

// within says whether a package's path is the folder or below it; "" holds everything.
func within(path, folder string) bool {
	return folder == "" || path == folder || strings.HasPrefix(path, folder+"/")
}

// layerOf returns the layer of a package and the path under which it was found.
func layerOf(pkg string) (*layer, string) {
	var best *layer
	at := ""
	for i := range layers {
		for _, p := range layers[i].paths {
			if within(pkg, p) && (best == nil || len(p) > len(at)) {
				best, at = &layers[i], p
			}
		}
	}
	return best, at
}

// section is the folder directly below base that holds pkg; "" for base itself.
func section(pkg, base string) string {
	rest, _ := strings.CutPrefix(strings.TrimPrefix(pkg, base), "/")
	head, _, _ := strings.Cut(rest, "/")
	return head
}
