// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// planted is what must never get into a report.
var planted = []string{"hunter2", "NHS-BODY", "943 476 5919", "9434765919"}

func pod(name, component, container string) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: messagingNamespace,
		Labels: map[string]string{"spine.nhs.uk/component": component}, Annotations: map[string]string{"note": "hunter2"}}}
	p.Spec.NodeName = "b"
	p.Spec.Containers = []corev1.Container{{Name: container, Image: "registry.example.org/spine/" + container + ":1",
		Env: []corev1.EnvVar{{Name: "PASSWORD", Value: "hunter2"}}, Args: []string{"--password=hunter2"}}}
	return p
}

func reportWorld() *world {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "mailboxes", Namespace: messagingNamespace}, Data: map[string][]byte{"x": []byte("hunter2")}}
	settings := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "gateway", Namespace: messagingNamespace}, Data: map[string]string{"x": "hunter2"}}
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "spine-gateway", Namespace: messagingNamespace}}
	deployment.Spec.Template.Spec = pod("x", "gateway", "gateway").Spec
	m := messaging()
	m.Annotations = map[string]string{"kubectl.kubernetes.io/last-applied-configuration": "hunter2"}
	event := &corev1.Event{ObjectMeta: metav1.ObjectMeta{Name: "e", Namespace: messagingNamespace}, Type: "Warning", Reason: "ProbeFailed",
		Message: "stage ledger, of 943 476 5919", LastTimestamp: *ago(0), InvolvedObject: corev1.ObjectReference{Kind: "MessagingService", Name: "spine"}}
	w := newWorld(append(wellSite()[:3], m, booking(), secret, settings, deployment, event, pod("spine-gateway-1", "gateway", "gateway"), pod("spine-db-1", "database", "postgres"))...)
	w.logs = map[string]string{
		"spine-gateway-1": `{"time":"2026-03-07T03:00:00Z","level":"INFO","msg":"serving","body":"NHS-BODY","payload":{"msg":"NHS-BODY"},"error":"patient 9434765919"}` + "\n" +
			"panic: NHS-BODY\n" + `{"msg":{"deep":"NHS-BODY"}}`,
		"spine-db-1": "SELECT 'NHS-BODY'\n",
	}
	return w
}

func TestReport(t *testing.T) {
	t.Chdir(t.TempDir())
	out, errs, code := reportWorld().run("report")
	if code != exitWell || !strings.Contains(out, "Written: spine-report-site-a-20260307-030211.tar.gz") {
		t.Fatalf("exit code %d: %s%s", code, out, errs)
	}
	files := unpack(t, "spine-report-site-a-20260307-030211.tar.gz")
	for name, text := range files {
		for _, p := range planted {
			if strings.Contains(text, p) {
				t.Errorf("%s holds %q:\n%s", name, p, text)
			}
		}
	}
	names := strings.Join(slices.Sorted(maps.Keys(files)), " ")
	for _, want := range []string{"events/spine-messaging.jsonl", "logs/spine-messaging/spine-gateway-1.jsonl", "resources/node.yaml",
		"resources/spine-messaging/messagingservice.yaml", "resources/spine-messaging/pod.yaml", "resources/spine-messaging/deployment.yaml", "status.txt"} {
		if !strings.Contains(names, want) {
			t.Errorf("no %s among %s", want, names)
		}
	}
	for _, never := range []string{"secret", "configmap", "spine-db-1"} {
		if strings.Contains(names, never) {
			t.Errorf("%s among %s", never, names)
		}
	}
	folder := "spine-report-site-a-20260307-030211/"
	if log := files[folder+"logs/spine-messaging/spine-gateway-1.jsonl"]; log !=
		`{"error":"patient [ten digits]","level":"INFO","msg":"serving","time":"2026-03-07T03:00:00Z"}`+"\n{}\n"+`{"leftOut":"1 lines that are not JSON"}`+"\n" {
		t.Errorf("got %s", log)
	}
	if pods := files[folder+"resources/spine-messaging/pod.yaml"]; !strings.Contains(pods, "nodeName: b") || !strings.Contains(pods, "image: registry.example.org/spine/gateway:1") {
		t.Errorf("got %s", pods)
	}
	info, err := os.Stat("spine-report-site-a-20260307-030211.tar.gz")
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if _, errs, code = reportWorld().run("report"); code != exitError || !strings.Contains(errs, "exists, and is not overwritten") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

func TestReportSaysWhatItLeftOut(t *testing.T) {
	w := reportWorld()
	w.client = interceptor.NewClient(w.client, interceptor.Funcs{List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
		if gvk, err := c.GroupVersionKindFor(list); err == nil && strings.HasPrefix(gvk.Kind, "Pod") {
			return apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "", errors.New("no"))
		}
		return c.List(ctx, list, opts...)
	}})
	file := filepath.Join(t.TempDir(), "r.tar.gz")
	out, _, code := w.run("report", "-f", file)
	if code != exitWell || !strings.Contains(out, "Left out: you may not list Pods in spine-messaging at site site-a") {
		t.Errorf("exit code %d: %s", code, out)
	}
	if gaps := unpack(t, file)["r/gaps.txt"]; !strings.Contains(gaps, "list Pods in spine-messaging") {
		t.Errorf("got %s", gaps)
	}
}

func TestReportOfADeadSite(t *testing.T) {
	w := reportWorld()
	w.client = deadClient(errors.New("connection refused"))
	file := filepath.Join(t.TempDir(), "r.tar.gz")
	if _, errs, code := w.run("report", "-f", file); code != exitError || !strings.Contains(errs, "does not answer") {
		t.Errorf("exit code %d: %s", code, errs)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("it left a file behind")
	}
}

func unpack(t *testing.T, file string) map[string]string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		} else if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out[h.Name] = string(text)
	}
}

// Whatever a log holds, only words and numbers under the allowed names come out.
func FuzzKeepLine(f *testing.F) {
	f.Add([]byte(`{"msg":"serving","body":"NHS-BODY"}`))
	f.Add([]byte(`{"msg":{"body":"x"},"msg":1e400}`))
	f.Add([]byte(`[1]`))
	f.Fuzz(func(t *testing.T, line []byte) {
		kept := keepLine(line)
		if kept == nil {
			return
		}
		again := keepLine(kept)
		if string(again) != string(kept) {
			t.Errorf("%q became %q, and that %q", line, kept, again)
		}
	})
}
