// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/utils/clock"

	"spine.nhs.uk/controlplane/operators/workloads/booking/provider"
)

// trial is an evening: pollers, providers and a store, in a bubble of its own time that begins at 2000-01-01 00:00 UTC.
type trial struct {
	t         *testing.T
	store     *memory
	providers *providers
	settings  Settings
	pressed   bool
	log       lines
}

// lines is a log that may be read while it is written.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// evening is the evening of the bubble's first day.
const evening = "2000-01-01"

func newTrial(t *testing.T) *trial {
	return &trial{
		t: t, store: newMemory(),
		providers: &providers{asked: map[string]int{}, open: map[string]int{}, most: map[string]int{}},
		settings: Settings{On: true, Hour: 18, Zone: london, Window: 4 * time.Hour, Limit: 50_000, Concurrency: 32, PerSystem: 2, PerSecond: 50,
			DaysAhead: 180},
	}
}

// start runs a replica until stop.
func (tr *trial) start() (stop func()) {
	tr.t.Helper()
	client, err := provider.NewClient(tr.providers, 20*time.Second)
	if err != nil {
		tr.t.Fatal(err)
	}
	poller, err := New(Config{Store: tr.store, Source: client, Settings: func() Settings { return tr.settings }, Pressed: func() bool { return tr.pressed },
		Clock: clock.RealClock{}, Log: slog.New(slog.NewTextHandler(&tr.log, nil))})
	if err != nil {
		tr.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); poller.Run(ctx) }()
	return func() { cancel(); <-done }
}

func (tr *trial) want(counts map[Outcome]int) {
	tr.t.Helper()
	got := tr.store.count(evening)
	for outcome, n := range counts {
		if got[outcome] != n {
			tr.t.Errorf("%d %s, want %d", got[outcome], outcome, n)
		}
	}
	if len(got) > len(counts) {
		tr.t.Errorf("got %v", got)
	}
}

func until(hour, minute int) {
	time.Sleep(time.Until(time.Date(2000, 1, 1, hour, minute, 0, 0, time.UTC)))
	synctest.Wait()
}

func TestAnEveningReachesEveryServiceThatAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTrial(t)
		defer tr.start()()
		until(17, 59)
		if len(tr.providers.requests()) > 0 {
			t.Fatal("asked before the window")
		}
		until(21, 59)
		tr.want(map[Outcome]int{Updated: workingSystems*perSystem + slowServices, Invalid: lyingServices})
		until(22, 10)
		if !tr.store.done(evening) {
			t.Error("the evening did not end")
		}
		p := tr.providers
		asked := p.requests()
		p.mu.Lock()
		if p.peak > 32 || p.most["works7.example"] > 2 || p.most["slow.example"] > 2 || p.most["dead.example"] > 2 {
			t.Errorf("%d requests at once, %v", p.peak, p.most["works7.example"])
		}
		if closes := time.Date(2000, 1, 1, 22, 0, 0, 0, time.UTC); !p.lastAsked.Before(closes) {
			t.Errorf("asked at %s", p.lastAsked)
		}
		p.mu.Unlock()
		if !strings.Contains(tr.log.String(), "dead.example") {
			t.Errorf("what was not reached is not reported:\n%s", tr.log.String())
		}
		for path, n := range asked {
			if n > attempts {
				t.Errorf("%s was asked %d times", path, n)
			}
		}
		// The next evening is a new one.
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if got := tr.store.count("2000-01-02"); got[Updated] != workingSystems*perSystem+slowServices {
			t.Errorf("the next evening: %v", got)
		}
	})
}

// At 50 requests a second the services that work take about a minute, however bad the other systems are.
func TestBadSystemsHoldUpNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTrial(t)
		defer tr.start()()
		until(18, 2)
		if got := tr.store.count(evening)[Updated]; got < workingSystems*perSystem {
			t.Errorf("%d reached after two minutes", got)
		}
	})
}

func TestThePollKeepsItsPaceAndYieldsToPeople(t *testing.T) {
	for pressed, pace := range map[bool]int{false: 50, true: 5} {
		synctest.Test(t, func(t *testing.T) {
			tr := newTrial(t)
			tr.pressed = pressed
			defer tr.start()()
			until(18, 0)
			time.Sleep(look) // the replica looks every now and then: it has begun by now
			synctest.Wait()
			before := 0
			for _, n := range tr.providers.requests() {
				before += n
			}
			time.Sleep(30 * time.Second)
			synctest.Wait()
			asked := -before
			for _, n := range tr.providers.requests() {
				asked += n
			}
			seconds := 30.0
			if got := float64(asked) / seconds; got > float64(pace)*1.05 || got < float64(pace)*0.7 {
				t.Errorf("pressed %v: %.1f requests a second, want %d", pressed, got, pace)
			}
		})
	}
}

func TestAnotherReplicaGoesOnAfterACrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTrial(t)
		stop := tr.start()
		until(18, 0)
		time.Sleep(30 * time.Second)
		stop()
		before := tr.store.count(evening)[Updated]
		if before == 0 || before == allServices {
			t.Fatalf("%d stored before the crash", before)
		}
		defer tr.start()()
		until(22, 10)
		tr.want(map[Outcome]int{Updated: workingSystems*perSystem + slowServices, Invalid: lyingServices})
		again := 0
		for path, n := range tr.providers.requests() {
			if n > 1 && !strings.Contains(path, "dead") {
				again++
			}
		}
		// What was in flight or not stored yet is asked again, nothing else; dead services are asked several times anyway.
		if most := 32 + 2*batchServices + deadServices; again > most {
			t.Errorf("%d services were asked again, want at most %d", again, most)
		}
	})
}

func TestOneReplicaPollsAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTrial(t)
		tr.store.targets = tr.store.targets[:workingSystems*perSystem]
		defer tr.start()()
		defer tr.start()()
		until(22, 10)
		for path, n := range tr.providers.requests() {
			if n != 1 {
				t.Errorf("%s was asked %d times", path, n)
			}
		}
	})
}

// A replica that lost its hold stops, and what it had not stored is asked by its successor.
func TestALostHoldStopsThePoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTrial(t)
		defer tr.start()()
		until(18, 0)
		time.Sleep(20 * time.Second)
		tr.store.mu.Lock()
		close(tr.store.holder.lost) // its writes are not refused yet
		tr.store.mu.Unlock()
		time.Sleep(20 * time.Second) // for the answers that were on their way
		synctest.Wait()
		if !strings.Contains(tr.log.String(), "interrupted") {
			t.Errorf("it went on:\n%s", tr.log.String())
		}
		until(22, 10)
		tr.want(map[Outcome]int{Updated: workingSystems*perSystem + slowServices, Invalid: lyingServices})
	})
}

func TestADatabaseThatIsAwayDelaysAndLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTrial(t)
		tr.store.away = 12
		defer tr.start()()
		until(22, 10)
		tr.want(map[Outcome]int{Updated: workingSystems*perSystem + slowServices, Invalid: lyingServices})
	})
}

func TestSlotsThatTheDatabaseRefusesHurtNoOtherService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTrial(t)
		tr.store.reject = 17
		defer tr.start()()
		until(22, 10)
		tr.want(map[Outcome]int{Updated: workingSystems*perSystem + slowServices - 1, Unstored: 1, Invalid: lyingServices})
	})
}

func TestABusySystemIsAskedAgainWhenItSaidSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTrial(t)
		tr.store.targets = tr.store.targets[:perSystem]
		tr.providers.busyUntil = time.Date(2000, 1, 1, 18, 30, 0, 0, time.UTC)
		defer tr.start()()
		until(22, 10)
		tr.want(map[Outcome]int{Updated: perSystem})
		asked := 0
		for _, n := range tr.providers.requests() {
			asked += n
		}
		if asked > perSystem+2*31 {
			t.Errorf("asked %d times in half an hour of 503 with Retry-After: 60", asked)
		}
	})
}

func TestTheLimitBoundsAnEvening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTrial(t)
		tr.settings.Limit = 100
		defer tr.start()()
		until(22, 10)
		tr.want(map[Outcome]int{Updated: 100})
	})
}

func TestNothingIsPolledWhenItIsOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTrial(t)
		tr.settings.On = false
		defer tr.start()()
		until(22, 10)
		tr.want(nil)
	})
}
