// SPDX-License-Identifier: Apache-2.0

// Package service puts the booking service together: configuration that is
// re-read, the API and the pages on one port, the platform's own port, and the
// work in the background.
package service

import (
	"context"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
)

// lookEvery is how often the configuration file is looked at for a change.
const lookEvery = 3 * time.Second

// settings is the configuration in force.
type settings struct {
	path    string
	current atomic.Pointer[loaded]
}

// loaded is one reading of the file.
type loaded struct {
	config    *v1alpha1.ServiceConfig
	zone      *time.Location
	pollStart time.Time // hour and minute only
	changed   time.Time
}

// openSettings reads the file; at the start a mistake in it is an error.
func openSettings(path string) (*settings, error) {
	s := &settings{path: path}
	first, err := s.read()
	if err != nil {
		return nil, err
	}
	s.current.Store(first)
	return s, nil
}

func (s *settings) read() (*loaded, error) {
	info, err := os.Stat(s.path)
	if err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(s.path)
	if err != nil {
		return nil, err
	}
	config, err := v1alpha1.ParseServiceConfig(raw)
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(config.TimeZone)
	if err != nil {
		return nil, err
	}
	start, err := time.Parse("15:04", config.Poll.Start)
	if err != nil {
		return nil, err
	}
	return &loaded{config: config, zone: zone, pollStart: start, changed: info.ModTime()}, nil
}

// get is the configuration in force. It must not be changed.
func (s *settings) get() *v1alpha1.ServiceConfig { return s.current.Load().config }

// watch takes up changes until ctx ends. A file with a mistake is reported
// once and leaves the former settings in force.
func (s *settings) watch(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var reported time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		info, err := os.Stat(s.path)
		if err != nil || info.ModTime().Equal(s.current.Load().changed) || info.ModTime().Equal(reported) {
			continue
		}
		next, err := s.read()
		if err != nil {
			reported = info.ModTime()
			log.Error("the changed configuration cannot be used; the former one stays in force", "error", err)
			continue
		}
		s.current.Store(next)
		log.Info("configuration taken up")
	}
}

func seconds(n int32) time.Duration { return time.Duration(n) * time.Second }

func minutes(n int32) time.Duration { return time.Duration(n) * time.Minute }
