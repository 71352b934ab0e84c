// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"crypto/cipher"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

// Settings may change while the service runs.
type Settings struct {
	// Title heads every page.
	Title string
	// Zone is the time zone in which days and times are shown.
	Zone *time.Location
	// Idle ends a session that nobody used for so long; Longest ends every session.
	Idle, Longest time.Duration
	// Attempts is how many wrong access codes one referral takes before signing in is refused for Lock.
	Attempts int
	Lock     time.Duration
}

// Config is what the pages need beside the desk. All fields are required.
type Config struct {
	// Settings returns the settings in force; called for every request.
	Settings func() Settings
	// Key seals sessions; the same in every replica.
	Key [32]byte
	// Tokens verifies a staff token and says until when it holds. Any error refuses it.
	Tokens func(raw string) (domain.Caller, time.Time, error)
	Now    func() time.Time
	Log    *slog.Logger
}

//go:embed style.css
var style []byte

// maxForm bounds a posted form, in bytes: the longest holds a token of at most 8 KiB.
const maxForm = 16 << 10

// Handler serves the pages. It is safe for concurrent use.
type Handler struct {
	desk      Desk
	config    Config
	mux       *http.ServeMux
	templates map[string]*template.Template
	stylePath string
	kept      cards
	seal      cipher.AEAD
	tokenKey  [32]byte
	origin    *http.CrossOriginProtection
	referrals *throttle
	addresses *throttle
}

// New makes the pages; an error is a fault of the program.
func New(desk Desk, config Config) (*Handler, error) {
	if desk == nil || config.Settings == nil || config.Tokens == nil || config.Now == nil || config.Log == nil {
		return nil, errors.New("pages: expected a desk and every field of the configuration")
	}
	sum := sha256.Sum256(style)
	h := &Handler{
		desk:      desk,
		config:    config,
		mux:       http.NewServeMux(),
		stylePath: "/static/style." + hex.EncodeToString(sum[:8]) + ".css",
		kept:      cards{made: map[cardKey]template.HTML{}},
		origin:    http.NewCrossOriginProtection(),
		referrals: newThrottle(),
		addresses: newThrottle(),
	}
	var err error
	if h.seal, h.tokenKey, err = keysFrom(config.Key); err != nil {
		return nil, err
	}
	if h.templates, err = parseTemplates(func() *time.Location { return config.Settings().Zone }); err != nil {
		return nil, err
	}
	h.routes()
	return h, nil
}

func (h *Handler) routes() {
	h.mux.HandleFunc("GET "+h.stylePath, serveStyle)

	h.handle("GET /{$}", anyone, h.signInPage)
	h.handle("POST /sign-in", anyone, h.signIn)
	h.handle("GET /staff", anyone, h.staffPage)
	h.handle("POST /staff/sign-in", anyone, h.staffSignIn)
	h.handle("POST /sign-out", anyone, h.signOut)

	h.handle("GET /services", staff, h.servicesPage)
	h.handle("POST /services", staff, h.search)
	h.handle("GET /shortlist", staff, h.shortlistPage)
	h.handle("POST /shortlist", staff, h.changeShortlist)
	h.handle("POST /referrals", staff, h.refer)
	h.handle("GET /worklist", staff, h.worklistPage)
	h.handle("POST /worklist/open", staff, h.openReferral)

	h.handle("GET /referral", holder, h.referralPage)
	h.handle("GET /slots", holder, h.slotsPage)
	h.handle("GET /book", holder, h.confirmPage)
	h.handle("POST /book", holder, h.book)
	h.handle("GET /booked", holder, h.bookedPage)
	h.handle("GET /defer", holder, h.deferPage)
	h.handle("POST /defer", holder, h.deferReferral)
	h.handle("GET /cancel", holder, h.cancelPage)
	h.handle("POST /cancel", holder, h.cancel)

	h.handle("/", anyone, func(*visit) error { return domain.ErrNotFound })
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "same-origin")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Strict-Transport-Security", "max-age=31536000")
	h.mux.ServeHTTP(w, r)
}

// access says who may see a page.
type access int

const (
	anyone access = iota // no session needed
	holder               // someone who has a referral open: a patient, or staff after opening one
	staff                // someone who signed in with a token
)

// handle adds a page. Every POST is checked for its origin and its form token before the page sees it.
func (h *Handler) handle(pattern string, needs access, page func(*visit) error) {
	h.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		v := &visit{w: w, r: r, h: h, page: pattern, settings: h.config.Settings(), now: h.config.Now()}
		v.resume()
		err := v.admit(needs)
		if err == nil {
			err = page(v)
		}
		if err != nil {
			v.fail(err)
		}
	})
}

// serveStyle: the name of the file changes with its content, so it may be kept for good.
func serveStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(style)
}
