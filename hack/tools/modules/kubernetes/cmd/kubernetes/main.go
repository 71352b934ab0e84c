// SPDX-License-Identifier: Apache-2.0

// Command kubernetes is every Kubernetes command of a site in one static
// binary: it runs the one it is called by name (a link named kubelet runs the
// kubelet), or the one named by its first argument.
//
// One link instead of seven saves most of the build time and four fifths of
// the disk: the commands share nearly all of their packages.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	// Time zones for CronJobs; hosts and images carry no zone files.
	_ "time/tzdata"

	// Log format and metrics that each upstream main registers for itself.
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
)

// commands maps a name to its main. Only the chosen one builds its flags, so
// the commands cannot meet in the global flag set.
var commands = map[string]func(){
	"kubeadm":                 kubeadm,
	"kubectl":                 kubectl,
	"kubelet":                 kubelet,
	"kube-apiserver":          apiServer,
	"kube-controller-manager": controllerManager,
	"kube-proxy":              proxy,
	"kube-scheduler":          scheduler,
}

func main() {
	if run, ok := commands[filepath.Base(os.Args[0])]; ok {
		run()
		return
	}
	if len(os.Args) > 1 {
		if run, ok := commands[os.Args[1]]; ok {
			os.Args = os.Args[1:]
			run()
			return
		}
	}
	names := make([]string, 0, len(commands))
	for name := range commands {
		names = append(names, name)
	}
	slices.Sort(names)
	fmt.Fprintf(os.Stderr, "usage: %s COMMAND [ARG...], or call it by a link of that name\ncommands: %s\n",
		filepath.Base(os.Args[0]), strings.Join(names, ", "))
	os.Exit(2)
}
