// SPDX-License-Identifier: Apache-2.0

//go:build apiserver

package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	api "spine.nhs.uk/controlplane/operators/api/resilience/v1alpha1"
	"spine.nhs.uk/controlplane/operators/operatortest"
)

// A real API server: its definitions, admission policies and words.
func TestAgainstAnAPIServer(t *testing.T) {
	cluster, err := operatortest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Stop(); err != nil {
			t.Error(err)
		}
	})
	for _, o := range []client.Object{operatortest.Messaging("spine"), host("b", "r2", true)} {
		o.SetResourceVersion("")
		if err := cluster.Client.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("takes the examples", func(t *testing.T) { takesExamples(t, cluster) })
	t.Run("an operation from plan to evidence", func(t *testing.T) { fromPlanToEvidence(t, cluster) })
	t.Run("a kind that is not known", func(t *testing.T) {
		if err := cluster.Client.Delete(t.Context(), &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": map[string]any{"name": "bookingservices.booking.ers.nhs.uk"}}}); err != nil {
			t.Fatal(err)
		}
		var out string
		for end := time.Now().Add(20 * time.Second); time.Now().Before(end) && !strings.Contains(out, "does not know the kind"); time.Sleep(200 * time.Millisecond) {
			out, _ = as(t, cluster, "amy", "", "status")
		}
		if !strings.Contains(out, "does not know the kind") {
			t.Error(out)
		}
	})
}

func takesExamples(t *testing.T, cluster *operatortest.Cluster) {
	files, err := filepath.Glob(filepath.Join(examplesFolder, "*.yaml"))
	if err != nil || len(files) < len(actions)+3 {
		t.Fatalf("%v %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(text, &o.Object); err != nil {
			t.Fatal(err)
		}
		user := "amy"
		if o.GetKind() == "Approval" {
			user = "ben"
			_ = unstructured.SetNestedField(o.Object, time.Now().Add(time.Hour).UTC().Format(time.RFC3339), "spec", "expiresAt")
		}
		c := client.WithFieldValidation(person(t, cluster, user), metav1.FieldValidationStrict)
		if err := c.Create(t.Context(), o, client.DryRunAll); err != nil && !apierrors.IsAlreadyExists(err) {
			t.Errorf("%s: %v", filepath.Base(file), err)
		}
	}
}

// fromPlanToEvidence is what a responder and a colleague do; the manager is played.
func fromPlanToEvidence(t *testing.T, cluster *operatortest.Cluster) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	played := make(chan error, 1)
	go func() { played <- playManager(ctx, cluster.Client) }()
	out, code := as(t, cluster, "amy", "spine\n", "recover", "RestartRolling", "spine", "--part", "gateway", incident)
	if code != exitWell || !strings.Contains(out, "Succeeded") {
		t.Fatalf("exit code %d: %s", code, out)
	}
	_, rest, _ := strings.Cut(out, "Planning ")
	name, _, _ := strings.Cut(rest, " ")
	if out, code = as(t, cluster, "amy", "", "evidence", name); code != exitWell || !strings.Contains(out, "| asked for by | amy |") {
		t.Errorf("exit code %d: %s", code, out)
	}

	if out, code = as(t, cluster, "amy", "", "recover", "RebuildBroker", "spine", "--dry-run", incident); code != exitWell {
		t.Fatalf("exit code %d: %s", code, out)
	}
	_, rest, _ = strings.Cut(out, "Planning ")
	name, _, _ = strings.Cut(rest, " ")
	if out, code = as(t, cluster, "ben", "spine\n", "approve", name, "--digest", digest); code != exitWell || !strings.Contains(out, "Approved as ben") {
		t.Errorf("exit code %d: %s", code, out)
	}
	if out, code = as(t, cluster, "amy", "", "abort", name); code != exitWell || !strings.Contains(out, "Aborted") {
		t.Errorf("exit code %d: %s", code, out)
	}
	// What an admission policy says reaches the person.
	s := &site{name: "test", client: person(t, cluster, "mallory")}
	o := (&request{action: actions[1], reason: "INC0012345: x"}).build("amy", messagingNamespace, &api.ServiceRef{Kind: "MessagingService", Name: "spine"}, "")
	if err := s.explain(s.client.Create(t.Context(), o), "create"); err == nil || !strings.HasPrefix(err.Error(), "cannot create: site test refuses it: spec.requestedBy is amy: expected mallory") {
		t.Errorf("got %v", err)
	}
	cancel()
	if err := <-played; err != nil {
		t.Error(err)
	}
}

// playManager plans, runs and aborts whatever it finds, until ctx ends.
func playManager(ctx context.Context, c client.Client) error {
	for ctx.Err() == nil {
		var list api.ServiceRecoveryList
		if err := c.List(ctx, &list); err != nil && ctx.Err() == nil {
			return err
		}
		for i := range list.Items {
			o := &list.Items[i]
			if o.Status.ObservedGeneration == o.Generation {
				continue
			}
			o.Status.ObservedGeneration, o.Status.Phase, o.Status.Plan = o.Generation, api.PhaseSucceeded, aPlan()
			switch {
			case o.Spec.Abort:
				o.Status.Phase = api.PhaseAborted
			case isDryRun(o):
				o.Status.Phase = api.PhasePlanned
			}
			if err := c.Status().Update(ctx, o); err != nil && !apierrors.IsConflict(err) && ctx.Err() == nil {
				return err
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	return nil
}

func config(cluster *operatortest.Cluster, user string) *rest.Config {
	c := rest.CopyConfig(cluster.Config)
	c.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: []string{"system:masters", "system:authenticated"}}
	return c
}

func person(t *testing.T, cluster *operatortest.Cluster, user string) client.WithWatch {
	s := scheme()
	c, err := client.NewWithWatch(config(cluster, user), client.Options{Scheme: s, Mapper: mapper(s)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// as carries out a command line as a person at a terminal.
func as(t *testing.T, cluster *operatortest.Cluster, user, stdin string, args ...string) (string, int) {
	t.Helper()
	var out bytes.Buffer
	a := &app{in: strings.NewReader(stdin), out: &out, err: &out, terminal: true, now: time.Now, flags: genericclioptions.NewConfigFlags(true)}
	a.connect = func(string) (*site, error) {
		return &site{name: "test", server: cluster.Config.Host, client: person(t, cluster, user)}, nil
	}
	code := run(t.Context(), a, args)
	return out.String(), code
}
