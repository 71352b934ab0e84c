// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// serviceNamespaces are those whose parts are measured.
var serviceNamespaces = []string{"spine-messaging", "spine-booking", "spine-system", "cnpg-system", "rabbitmq-system", "cert-manager"}

// parts adds what each part of the services keeps in memory, over all its replicas, as its kubelets say.
func (b *bench) parts(ctx context.Context) error {
	kube, err := b.site.Kube()
	if err != nil {
		return err
	}
	used := map[string]float64{}
	for _, host := range hosts {
		raw, err := kube.CoreV1().RESTClient().Get().Resource("nodes").Name(host).SubResource("proxy").Suffix("stats/summary").DoRaw(ctx)
		if err != nil {
			return fmt.Errorf("memory of the pods on %s: %w", host, err)
		}
		if err := addMemory(used, raw); err != nil {
			return err
		}
	}
	totals := map[string]float64{}
	for _, namespace := range serviceNamespaces {
		pods, err := kube.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		for _, p := range pods.Items {
			totals[namespace+"/"+part(&p)] += used[namespace+"/"+p.Name]
		}
	}
	for name, bytes := range totals {
		b.record.add("memory: "+name, "MiB", bytes/(1<<20))
	}
	return nil
}

// addMemory reads the working sets of the pods out of a kubelet's summary.
func addMemory(used map[string]float64, summary []byte) error {
	var s struct {
		Pods []struct {
			PodRef struct{ Name, Namespace string }
			Memory struct{ WorkingSetBytes float64 }
		}
	}
	if err := json.Unmarshal(summary, &s); err != nil {
		return fmt.Errorf("a kubelet's summary: %w", err)
	}
	for _, p := range s.Pods {
		used[p.PodRef.Namespace+"/"+p.PodRef.Name] = p.Memory.WorkingSetBytes
	}
	return nil
}

// part is what a pod is a replica of.
func part(p *corev1.Pod) string {
	if len(p.OwnerReferences) == 0 {
		return p.Name
	}
	owner := p.OwnerReferences[0]
	if owner.Kind == "ReplicaSet" {
		return strings.TrimSuffix(owner.Name, "-"+p.Labels["pod-template-hash"])
	}
	return owner.Name
}

// sector is the unit of /proc/diskstats, whatever the disk's own.
const sector = 512

// diskBytes is what has been written to the disk that holds a folder.
func diskBytes(dir string) (float64, error) {
	var stat syscall.Stat_t
	if err := syscall.Stat(dir, &stat); err != nil {
		return 0, fmt.Errorf("the disk of %s: %w", dir, err)
	}
	text, err := os.ReadFile("/proc/diskstats")
	if err != nil {
		return 0, err
	}
	return sectorsWritten(string(text), stat.Dev)
}

func sectorsWritten(diskstats string, device uint64) (float64, error) {
	major, minor := strconv.FormatUint(device>>8&0xfff, 10), strconv.FormatUint(device&0xff|device>>12&0xfff00, 10)
	for line := range strings.Lines(diskstats) {
		// major, minor, name, reads, merged, sectors read, ms, writes, merged, sectors written, ...
		if f := strings.Fields(line); len(f) > 9 && f[0] == major && f[1] == minor {
			n, err := strconv.ParseFloat(f[9], 64)
			return n * sector, err
		}
	}
	return 0, fmt.Errorf("/proc/diskstats has no device %s:%s", major, minor)
}
