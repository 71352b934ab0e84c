// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"spine.nhs.uk/controlplane/hack/site"
)

// writing inserts one row after the other, each in a session of its own that is given up after a second, and says of
// each that was acknowledged which it was and when.
const writing = `until timeout 5 psql -qXAt -c 'CREATE TABLE IF NOT EXISTS written (id bigint PRIMARY KEY)'; do sleep 0.5; done
i=0
while :; do
  i=$((i + 1))
  if timeout 1 psql -qXAt -c "INSERT INTO written VALUES ($i)" >/dev/null 2>&1; then echo "$i $(date +%s.%N)"; fi
  sleep 0.05
done`

// writer is the one client of a database, a pod.
type writer struct {
	site *site.Site
	pod  string
	// lost are the rows that were missing before.
	lost int
}

// startWriter starts it and waits for its first row.
func startWriter(ctx context.Context, s *site.Site, objects client.Client, cluster, image string) (*writer, error) {
	yes, no, user := true, false, int64(26)
	password := &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: cluster + "-app"}, Key: "password",
	}}
	w := &writer{site: s, pod: "writer-" + cluster}
	err := objects.Create(ctx, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: failoverNamespace, Name: w.pod},
		Spec: corev1.PodSpec{
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot: &yes, RunAsUser: &user, SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			AutomountServiceAccountToken: &no,
			Containers: []corev1.Container{{
				Name: "writer", Image: image, Command: []string{"/bin/sh", "-c", writing},
				Env: []corev1.EnvVar{
					{Name: "PGHOST", Value: cluster + "-rw"}, {Name: "PGDATABASE", Value: failoverDatabase},
					{Name: "PGUSER", Value: failoverDatabase}, {Name: "PGPASSWORD", ValueFrom: password},
					{Name: "PGSSLMODE", Value: "require"}, {Name: "PGCONNECT_TIMEOUT", Value: "2"},
				},
				SecurityContext: &corev1.SecurityContext{
					AllowPrivilegeEscalation: &no, ReadOnlyRootFilesystem: &yes,
					Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
				},
			}},
		},
	})
	if err != nil {
		return nil, err
	}
	err = wait.PollUntilContextTimeout(ctx, time.Second, 2*time.Minute, true, func(ctx context.Context) (bool, error) {
		rows, err := w.acknowledged(ctx)
		return err == nil && len(rows) > 0, nil
	})
	if err != nil {
		return nil, fmt.Errorf("the client of %s writes nothing: %w", cluster, err)
	}
	return w, nil
}

// row is one that was acknowledged.
type row struct {
	id int64
	at time.Time
}

func (w *writer) acknowledged(ctx context.Context) ([]row, error) {
	out, err := w.site.Run(ctx, "kubectl", "-n", failoverNamespace, "logs", w.pod)
	if err != nil {
		return nil, err
	}
	return rows(out)
}

// rows reads what the client said.
func rows(out string) ([]row, error) {
	var all []row
	lines := bufio.NewScanner(strings.NewReader(out))
	for lines.Scan() {
		id, at, ok := strings.Cut(lines.Text(), " ")
		number, err := strconv.ParseInt(id, 10, 64)
		if !ok || err != nil {
			continue // a word of psql's own
		}
		seconds, err := strconv.ParseFloat(at, 64)
		if err != nil {
			return nil, fmt.Errorf("the client says %q: %w", lines.Text(), err)
		}
		all = append(all, row{number, time.UnixMilli(int64(seconds * 1000))})
	}
	return all, lines.Err()
}

// since is the longest time without an acknowledgement from then until now, and how many more rows than before, of all
// that were acknowledged, the primary has not got.
func (w *writer) since(ctx context.Context, begin time.Time, primary string) (gap time.Duration, lost int, err error) {
	all, err := w.acknowledged(ctx)
	if err != nil {
		return 0, 0, err
	}
	out, err := w.site.Run(ctx, "kubectl", "-n", failoverNamespace, "exec", primary, "-c", "postgres", "--",
		"psql", "-qXAt", "-d", failoverDatabase, "-c", "SELECT id FROM written")
	if err != nil {
		return 0, 0, err
	}
	now := missing(all, strings.Fields(out))
	lost, w.lost = now-w.lost, now
	return longest(all, begin, time.Now()), lost, nil
}

// longest is the longest time between two acknowledgements from begin to end, or between one and either of them.
func longest(all []row, begin, end time.Time) time.Duration {
	var most time.Duration
	last := begin
	for _, r := range all {
		if r.at.After(last) {
			most, last = max(most, r.at.Sub(last)), r.at
		}
	}
	return max(most, end.Sub(last))
}

// missing counts rows that are not among those that are there.
func missing(all []row, there []string) int {
	slices.Sort(there)
	lost := 0
	for _, r := range all {
		if _, found := slices.BinarySearch(there, strconv.FormatInt(r.id, 10)); !found {
			lost++
		}
	}
	return lost
}
