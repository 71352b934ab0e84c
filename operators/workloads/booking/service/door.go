// SPDX-License-Identifier: Apache-2.0

package service

import (
	"net/http"
	"sync/atomic"

	"spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
)

// door lets requests in unless the configuration says that nobody is, and counts those that
// are in: what a service that goes to sleep waits for.
type door struct {
	intake   func() v1alpha1.Intake
	inFlight atomic.Int64
}

// front stands before everything that clients ask for. A request is counted before the
// configuration is looked at, and status looks at both the other way round: once it has said
// that nobody is let in and nobody is in, nothing changes any more.
func (d *door) front(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.inFlight.Add(1)
		defer d.inFlight.Add(-1)
		if d.intake() == v1alpha1.IntakeStopped {
			w.Header().Set("Retry-After", "300")
			w.Header().Set("Connection", "close")
			http.Error(w, "the service is being put to sleep, or wakes: try again later", http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// status is what the configuration says, and how many requests are in.
func (d *door) status() (v1alpha1.Intake, int64) {
	intake := d.intake()
	return intake, d.inFlight.Load()
}
