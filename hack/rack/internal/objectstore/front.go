// SPDX-License-Identifier: Apache-2.0

package objectstore

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"time"
)

const (
	// Port is the port of the object store at a site's gateway.
	Port = 9000
	// Health answers without a signature once the store serves. No bucket has such a name.
	Health = "/-/health"
	// continueLimit is how long the store may take to ask for a body whose sender waits for that.
	continueLimit = time.Second
)

// Front passes everything on to the store at backend(), which returns "" while there is none.
// Requests arrive as they were sent, as their signatures cover the host and the path.
func Front(backend func() string, log *slog.Logger) http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme = "http"
			r.Out.URL.Host = backend()
			r.Out.Host = r.In.Host
		},
		// Objects pass as they are, through no proxy of this machine's.
		Transport: &http.Transport{DisableCompression: true, ExpectContinueTimeout: continueLimit},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			log.Warn("object store does not answer", "path", r.URL.Path, "error", err)
			refuse(w, "the object store does not answer; it is being started again, try in a second")
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if backend() == "" {
			refuse(w, "the object store is not started yet: its program is built with `go run ./hack/tools build "+Tool+"`")
			return
		}
		proxy.ServeHTTP(w, r)
	})
}

// refuse answers in the error form of S3, with the code that its clients try again after.
func refuse(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(http.StatusServiceUnavailable)
	fmt.Fprintf(w, "<Error><Code>ServiceUnavailable</Code><Message>%s</Message></Error>\n", text)
}
