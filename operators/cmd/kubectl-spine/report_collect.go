// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// reportNamespaces are the platform's own: the services', ours, and the engines' operators'.
var reportNamespaces = append(slices.Clone(ourNamespaces), "cnpg-system", "rabbitmq-system", "cert-manager")

// resources adds one file for each kind and namespace.
func (a *app) resources(ctx context.Context, s *site, b *bundle) {
	for _, k := range allowList {
		if k.gvk.Kind == "Node" {
			b.gap(s.addKind(ctx, b, k, ""))
			continue
		}
		for _, ns := range reportNamespaces {
			b.gap(s.addKind(ctx, b, k, ns))
		}
	}
}

func (s *site) addKind(ctx context.Context, b *bundle, k allowed, namespace string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*requestTimeout)
	defer cancel()
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(k.gvk.GroupVersion().WithKind(k.gvk.Kind + "List"))
	doing := fmt.Sprintf("list %ss", k.gvk.Kind)
	if namespace != "" {
		doing += " in " + namespace
	}
	if err := s.client.List(ctx, list, client.InNamespace(namespace)); err != nil {
		return s.explain(err, doing)
	}
	var text bytes.Buffer
	for _, item := range list.Items {
		one, err := yaml.Marshal(k.keep(item.Object))
		if err != nil {
			return err
		}
		text.WriteString("---\n")
		text.Write(one)
	}
	if text.Len() > 0 {
		b.add(strings.Trim("resources/"+namespace, "/")+"/"+strings.ToLower(k.gvk.Kind)+".yaml", masked(text.Bytes()))
	}
	return nil
}

// tenDigits could be an NHS number, as people may have written one into a reason.
var tenDigits = regexp.MustCompile(`\b\d{3}[ -]?\d{3}[ -]?\d{4}\b`)

func masked(text []byte) []byte { return tenDigits.ReplaceAll(text, []byte("[ten digits]")) }

// events adds those of the platform's namespaces, one JSON line each.
func (a *app) events(ctx context.Context, s *site, b *bundle) {
	for _, ns := range reportNamespaces {
		var list corev1.EventList
		if err := s.client.List(ctx, &list, client.InNamespace(ns)); err != nil {
			b.gap(s.explain(err, "list events in "+ns))
			continue
		}
		var lines []eventLine
		for i := range list.Items {
			lines = append(lines, lineOf(&list.Items[i]))
		}
		sortEvents(lines)
		var text bytes.Buffer
		for _, l := range lines {
			one, err := json.Marshal(l)
			b.gap(err)
			text.Write(append(one, '\n'))
		}
		if text.Len() > 0 {
			b.add("events/"+ns+".jsonl", masked(text.Bytes()))
		}
	}
}

// logs adds the last lines of our own programs.
func (a *app) logs(ctx context.Context, s *site, b *bundle, lines int64) {
	for _, p := range programs {
		var pods corev1.PodList
		if err := s.client.List(ctx, &pods, client.InNamespace(p.namespace), client.MatchingLabels{p.label: p.value}); err != nil {
			b.gap(s.explain(err, "list pods in "+p.namespace))
			continue
		}
		for i := range pods.Items {
			pod := &pods.Items[i]
			r, err := s.logs(ctx, pod, p.container, lines)
			if err != nil {
				b.gap(s.explain(err, "read the log of "+pod.Namespace+"/"+pod.Name))
				continue
			}
			text, err := keepLog(r)
			b.gap(err)
			b.gap(r.Close())
			b.add("logs/"+pod.Namespace+"/"+pod.Name+".jsonl", text)
		}
	}
}

// keepLog keeps the allowed fields of each line. Lines that are no JSON object are counted.
func keepLog(r io.Reader) ([]byte, error) {
	var out bytes.Buffer
	left := 0
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			if kept := keepLine(line); kept != nil {
				out.Write(append(kept, '\n'))
			} else {
				left++
			}
		}
		if err == io.EOF {
			break
		} else if err != nil {
			return out.Bytes(), err
		}
	}
	if left > 0 {
		fmt.Fprintf(&out, "{\"leftOut\":\"%d lines that are not JSON\"}\n", left)
	}
	return out.Bytes(), nil
}

// keepLine is nil for what is no JSON object. Only words and numbers are kept: no object
// gets in below an allowed name.
func keepLine(line []byte) []byte {
	var all map[string]any
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if d.Decode(&all) != nil || all == nil {
		return nil
	}
	kept := map[string]any{}
	for _, f := range logFields {
		switch v := all[f].(type) {
		case string, bool, json.Number:
			kept[f] = v
		}
	}
	text, err := json.Marshal(kept)
	if err != nil {
		return nil
	}
	return masked(text)
}
