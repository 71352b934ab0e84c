// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httputil"
)

// Port is the port of a site's registry at the site's gateway.
const Port = 5000

// Front passes reads on to the registry at backend() and refuses everything else. backend
// returns "" while there is no registry.
func Front(backend func() string, log *slog.Logger) http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme = "http"
			r.Out.URL.Host = backend()
			r.Out.Host = r.In.Host
			r.SetXForwarded()
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			log.Warn("registry does not answer", "path", r.URL.Path, "error", err)
			refuse(w, http.StatusBadGateway, "UNAVAILABLE", "the site registry does not answer; it is being started again, try in a second")
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			refuse(w, http.StatusMethodNotAllowed, "UNSUPPORTED",
				"the site registry is read-only for hosts; images are pushed on the outer machine to the address in `rack status -o json`, registry.push")
		case backend() == "":
			refuse(w, http.StatusServiceUnavailable, "UNAVAILABLE", "the site registry is not started yet: its program is built with `go run ./hack/tools build registry`")
		default:
			proxy.ServeHTTP(w, r)
		}
	})
}

// refuse answers in the error form of the OCI distribution specification.
func refuse(w http.ResponseWriter, status int, code, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []any{map[string]string{"code": code, "message": text}}})
}
