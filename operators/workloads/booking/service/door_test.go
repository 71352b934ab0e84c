// SPDX-License-Identifier: Apache-2.0

package service

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"spine.nhs.uk/controlplane/operators/api/booking/v1alpha1"
)

func TestAStoppedServiceLetsNobodyInAndSaysWhoIsStillIn(t *testing.T) {
	var intake atomic.Value
	intake.Store(v1alpha1.IntakeOpen)
	d := &door{intake: func() v1alpha1.Intake { return intake.Load().(v1alpha1.Intake) }}
	entered, leave := make(chan struct{}), make(chan struct{})
	front := d.front(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		entered <- struct{}{}
		<-leave
	}))
	ask := func() *httptest.ResponseRecorder {
		answer := httptest.NewRecorder()
		front.ServeHTTP(answer, httptest.NewRequest(http.MethodDelete, "/", http.NoBody))
		return answer
	}
	first := make(chan int)
	go func() { first <- ask().Code }()
	<-entered

	intake.Store(v1alpha1.IntakeStopped)
	if said, in := d.status(); said != v1alpha1.IntakeStopped || in != 1 {
		t.Errorf("with a request in flight: %s, %d", said, in)
	}
	second := ask()
	if second.Code != http.StatusServiceUnavailable || second.Header().Get("Retry-After") == "" || second.Header().Get("Connection") != "close" {
		t.Errorf("the next request: %d %v", second.Code, second.Header())
	}
	close(leave)
	if code := <-first; code != http.StatusOK {
		t.Errorf("the request in flight ended with %d", code)
	}
	if said, in := d.status(); said != v1alpha1.IntakeStopped || in != 0 {
		t.Errorf("afterwards: %s, %d", said, in)
	}
}
