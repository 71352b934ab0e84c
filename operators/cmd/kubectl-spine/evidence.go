// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
)

// record is what an incident's file should hold of one operation.
type record struct {
	// Site is the context and the API server that it was read from.
	Site   string      `json:"site"`
	Server string      `json:"server"`
	ReadAt metav1.Time `json:"readAt"`
	ReadBy string      `json:"readBy"`

	Namespace string                  `json:"namespace"`
	Name      string                  `json:"name"`
	UID       string                  `json:"uid"`
	Created   metav1.Time             `json:"created"`
	Spec      api.ServiceRecoverySpec `json:"spec"`
	Status    api.OperationStatus     `json:"status"`
	// Approvals of this operation that still exist, used or not.
	Approvals []api.ApprovalSpec `json:"approvals"`
	// Events of the operation that still exist: the API server keeps them for an hour.
	Events []eventLine `json:"events"`
	// Gaps says what could not be read.
	Gaps []string `json:"gaps,omitempty"`
}

type eventLine struct {
	Time    metav1.Time `json:"time"`
	Type    string      `json:"type"`
	Reason  string      `json:"reason"`
	Object  string      `json:"object,omitempty"`
	Message string      `json:"message"`
	Count   int32       `json:"count,omitempty"`
}

func (a *app) evidenceCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "evidence OPERATION",
		Short: "The record of an operation for the incident's file: who, why, plan, steps, loss, times",
		Long: `Writes the record of an operation, as Markdown for people or as JSON for programs: who asked and
why, the plan and its digest, approvals, each step with its times, what it lost and how long it took.
An existing file is not overwritten.`,
		Example: `  kubectl spine evidence restart-rolling-spine-x7k2p
  kubectl spine evidence restart-rolling-spine-x7k2p -f INC0012345.md
  kubectl spine evidence restart-rolling-spine-x7k2p -f INC0012345.json`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeOperation,
	}
	c.Flags().StringVarP(&file, "file", "f", "", "file to write, .md, .json or .yaml; it must not exist (default: standard output)")
	a.outputFlag(c, formatMarkdown, formatJSON, formatYAML)
	c.RunE = func(c *cobra.Command, args []string) error {
		format, err := formatOf(file, a.output, c.Flags().Changed("output"))
		if err != nil {
			return err
		}
		s, o, err := a.open(c.Context(), args[0])
		if err != nil {
			return err
		}
		r := a.record(c.Context(), s, o)
		var text bytes.Buffer
		if format == formatMarkdown {
			text.WriteString(r.markdown())
		} else if err := a.encode(&text, format, r); err != nil {
			return err
		}
		if file == "" {
			_, err = a.out.Write(text.Bytes())
			return err
		}
		if err := writeNew(file, text.Bytes()); err != nil {
			return err
		}
		fmt.Fprintln(a.out, "Written:", file)
		return nil
	}
	return c
}

// formatOf a file is its extension's, unless -o says otherwise.
func formatOf(file, output string, said bool) (string, error) {
	if file == "" || said {
		return output, nil
	}
	switch filepath.Ext(file) {
	case ".md":
		return formatMarkdown, nil
	case ".json":
		return formatJSON, nil
	case ".yaml", ".yml":
		return formatYAML, nil
	}
	return "", fmt.Errorf("--file: %s does not end in .md, .json or .yaml: name it so, or say -o", file)
}

// writeNew writes a file that only the caller can read and that did not exist.
func writeNew(path string, text []byte) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists, and is not overwritten: choose another name", path)
	} else if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = f.Write(text)
	return err
}

// record reads what there is about an operation. What cannot be read is said in it.
func (a *app) record(ctx context.Context, s *site, o *api.ServiceRecovery) *record {
	ctx, cancel := context.WithTimeout(ctx, 3*requestTimeout)
	defer cancel()
	r := &record{Site: s.name, Server: s.server, ReadAt: metav1.NewTime(a.now().UTC()), Namespace: o.Namespace, Name: o.Name,
		UID: string(o.UID), Created: o.CreationTimestamp, Spec: o.Spec, Status: o.Status, Approvals: []api.ApprovalSpec{}, Events: []eventLine{}}
	gap := func(err error) {
		if err != nil {
			r.Gaps = append(r.Gaps, err.Error())
		}
	}
	var err error
	r.ReadBy, err = s.whoami(ctx)
	gap(err)
	var approvals api.ApprovalList
	gap(s.explain(s.client.List(ctx, &approvals, client.InNamespace(o.Namespace)), "list Approvals in "+o.Namespace))
	for _, v := range approvals.Items {
		if v.Spec.Operation.Name == o.Name {
			r.Approvals = append(r.Approvals, v.Spec)
		}
	}
	var events corev1.EventList
	gap(s.explain(s.client.List(ctx, &events, client.InNamespace(o.Namespace)), "list events in "+o.Namespace))
	for i := range events.Items {
		if e := &events.Items[i]; e.InvolvedObject.Kind == kindOf(o) && e.InvolvedObject.Name == o.Name {
			line := lineOf(e)
			line.Object = ""
			r.Events = append(r.Events, line)
		}
	}
	sortEvents(r.Events)
	return r
}

func lineOf(e *corev1.Event) eventLine {
	t := e.LastTimestamp
	if t.IsZero() && e.Series != nil {
		t = metav1.Time{Time: e.Series.LastObservedTime.Time}
	}
	if t.IsZero() {
		t = metav1.Time{Time: e.EventTime.Time}
	}
	count := e.Count
	if e.Series != nil {
		count = e.Series.Count
	}
	return eventLine{Time: t, Type: e.Type, Reason: e.Reason, Message: e.Message, Count: count,
		Object: strings.TrimPrefix(e.InvolvedObject.Kind+" "+e.InvolvedObject.Namespace+"/"+e.InvolvedObject.Name, " ")}
}

func sortEvents(events []eventLine) {
	slices.SortStableFunc(events, func(a, b eventLine) int { return a.Time.Compare(b.Time.Time) })
}
