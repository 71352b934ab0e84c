// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"spine.nhs.uk/controlplane/hack/load/check"
	booking "spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
	messaging "spine.nhs.uk/controlplane/operators/api/messaging/v1alpha1"
)

// The load of every fault: what the services must carry without a thought on two cores.
const (
	messagesPerSecond = 1000
	pagesPerSecond    = 50
)

// loadRun is messages and bookings on their way, each with its own record.
type loadRun struct {
	folder   string
	duration time.Duration
	running  []*exec.Cmd
	screens  []*screen
	ended    sync.WaitGroup
	errs     []error
	// collected ends the collection of booking's events.
	collected func()
	// refused is how a generator may end whose users were refused something by the fault; nil: none may be.
	refused *regexp.Regexp
}

// place is where clients find the services: by address, or by names that follow them from site to site.
type place struct{ messages, bookings, nameServer string }

// served is the place of the site, or of the pair that the suite is at.
func served() place {
	GinkgoHelper()
	if pairPlace != nil {
		return *pairPlace
	}
	edge, err := rack.Address(101)
	Expect(err).NotTo(HaveOccurred())
	return place{messages: edge, bookings: edge}
}

// startLoad starts both generators for that long.
func startLoad(ctx context.Context, duration time.Duration) *loadRun {
	GinkgoHelper()
	r := &loadRun{folder: GinkgoT().TempDir(), duration: duration}
	clients := filepath.Join(rack.Home, "clients")
	at := served()
	for _, kind := range []struct {
		name, url string
		rate      int
	}{
		{"messages", "https://" + at.messages + ":8444", messagesPerSecond},
		{"bookings", "https://" + at.bookings + ":8445", pagesPerSecond},
	} {
		cmd := rack.Command(ctx, "load", kind.name, "--url", kind.url, "--name-server", at.nameServer, "--clients", clients,
			"--rate", strconv.Itoa(kind.rate), "--duration", duration.String(), "--progress", "2s", "--record", filepath.Join(r.folder, kind.name))
		seen := &screen{}
		cmd.Stdout, cmd.Stderr = seen, seen
		Expect(cmd.Start()).To(Succeed())
		r.running, r.screens = append(r.running, cmd), append(r.screens, seen)
	}
	collecting, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer GinkgoRecover()
		defer close(done)
		collectEvents(collecting)
	}()
	r.collected = func() { stop(); <-done }
	r.errs = make([]error, len(r.running))
	for i, cmd := range r.running {
		r.ended.Go(func() { r.errs[i] = cmd.Wait() })
	}
	return r
}

// flowing waits until a message and a booking were acknowledged: what passes before the first is no gap. Users look at
// several pages before they book.
func (r *loadRun) flowing(ctx context.Context) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		out, err := rack.Run(ctx, "load", "report", "-o", "json",
			"--messages", filepath.Join(r.folder, "messages"), "--bookings", filepath.Join(r.folder, "bookings"))
		g.Expect(err).NotTo(HaveOccurred(), out)
		var so check.Result
		g.Expect(json.Unmarshal([]byte(out), &so)).To(Succeed(), out)
		g.Expect(so.Counts.Acknowledged).To(BeNumerically(">", 0), "messages")
		g.Expect(so.Counts.Bookings).To(BeNumerically(">", 0), "bookings")
	}).WithContext(ctx).WithTimeout(time.Minute).WithPolling(time.Second).Should(Succeed())
}

// counted is how the generators say what was acknowledged so far.
var counted = regexp.MustCompile(`in all (\d+) acknowledged`)

// acknowledged is what the generator on the screen said last.
func (s *screen) acknowledged() int {
	GinkgoHelper()
	all := counted.FindAllStringSubmatch(s.String(), -1)
	if len(all) == 0 {
		return 0
	}
	n, err := strconv.Atoi(all[len(all)-1][1])
	Expect(err).NotTo(HaveOccurred())
	return n
}

// flowsOn waits until both services have acknowledged as much again as five seconds of the load.
func (r *loadRun) flowsOn(ctx context.Context) {
	GinkgoHelper()
	for i, rate := range []int{messagesPerSecond, pagesPerSecond} {
		before := r.screens[i].acknowledged()
		Eventually(r.screens[i].acknowledged).WithContext(ctx).WithTimeout(3 * time.Minute).Should(BeNumerically(">", before+5*rate))
	}
}

// stop ends the load early, if it has not ended: what is on its way is finished and recorded.
func (r *loadRun) stop() {
	GinkgoHelper()
	for _, cmd := range r.running {
		if err := cmd.Process.Signal(os.Interrupt); !errors.Is(err, os.ErrProcessDone) {
			Expect(err).NotTo(HaveOccurred())
		}
	}
}

// finish lets the load end and compares its record with what receivers got and what the databases hold.
func (r *loadRun) finish(ctx context.Context) check.Result {
	GinkgoHelper()
	r.ended.Wait()
	r.collected()
	for i, err := range r.errs {
		if err != nil && r.refused != nil && r.refused.MatchString(r.screens[i].String()) {
			continue
		}
		Expect(err).NotTo(HaveOccurred(), r.screens[i].String())
	}
	var result check.Result
	// The way to the databases leads by the API server, whose address may move meanwhile: reading them changes nothing.
	Eventually(func() (err error) {
		result, err = r.compared(ctx)
		return err
	}).WithContext(ctx).WithTimeout(5 * time.Minute).WithPolling(5 * time.Second).Should(Succeed())
	return result
}

// compared is what the record of a load and the databases say of each other.
func (r *loadRun) compared(ctx context.Context) (result check.Result, err error) {
	m, b := &messaging.MessagingService{}, &booking.BookingService{}
	if err := errors.Join(objects.Get(ctx, messagingKey, m), objects.Get(ctx, bookingKey, b)); err != nil {
		return result, err
	}
	args := []string{"check", "-o", "json", "--messages", filepath.Join(r.folder, "messages"), "--bookings", filepath.Join(r.folder, "bookings")}
	for _, d := range []struct{ flag, namespace, cluster string }{
		{"--ledger", "spine-messaging", databaseOf(m)}, {"--booked", "spine-booking", databaseOf(b)},
	} {
		url, stop, err := databaseURL(ctx, d.namespace, d.cluster)
		if err != nil {
			return result, err
		}
		defer stop()
		args = append(args, d.flag, url)
	}
	cmd := rack.Command(ctx, "load", args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) {
		return result, fmt.Errorf("load check: %w\n%s", err, errs.String())
	}
	if err := json.Unmarshal(out.Bytes(), &result); err != nil {
		return result, fmt.Errorf("load check: %w\n%s%s", err, out.String(), errs.String())
	}
	return result, nil
}

// longest is how a generator says at its end how long nothing was acknowledged.
var longest = regexp.MustCompile(`longest gap ([0-9.]+) s`)

// gaps are the longest times in seconds in which no message, and no booking, was acknowledged, of a load that has ended.
func (r *loadRun) gaps() []float64 {
	GinkgoHelper()
	var out []float64
	for _, s := range r.screens {
		said := longest.FindStringSubmatch(s.String())
		Expect(said).To(HaveLen(2), s.String())
		gap, err := strconv.ParseFloat(said[1], 64)
		Expect(err).NotTo(HaveOccurred())
		out = append(out, gap)
	}
	return out
}

func (r *loadRun) summary(result check.Result) string {
	c, m := result.Counts, result.Messages
	return fmt.Sprintf("%.2f s without an acknowledged message, %.2f s without a booking; %d messages acknowledged at %.0f/s, p50 %.0f ms, p99 %.0f ms; delivered p99 %.0f ms, longest %.0f ms, %d redelivered, %d ambiguous; %d bookings",
		m.LongestGap.Seconds, result.Bookings.LongestGap.Seconds, c.Acknowledged, m.PerSecond, m.Acknowledge.P50, m.Acknowledge.P99, result.Deliver.P99, result.Deliver.Max, c.Redelivered, c.Ambiguous, c.Bookings)
}
