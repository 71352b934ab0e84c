// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Settings are what a BookingService's spec and the booking program's own
// configuration have in common: the operator copies them word for word.
// Every field has a default, so that {} is a whole configuration.
type Settings struct {
	// title heads every page. 1 to 80 characters. Default: e-Referral Service.
	// +optional
	// +kubebuilder:default="e-Referral Service"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=80
	Title string `json:"title,omitempty"`

	// timeZone in which days and times are shown and the evening begins: a
	// name of the IANA database. Default: Europe/London.
	// +optional
	// +kubebuilder:default="Europe/London"
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Z][A-Za-z_]+(/[A-Z][A-Za-z_]+)?$`
	TimeZone string `json:"timeZone,omitempty"`

	// capacity bounds what callers can ask of each replica.
	// +optional
	// +kubebuilder:default={}
	Capacity Capacity `json:"capacity,omitzero"`

	// providers says how providers' own systems are asked.
	// +optional
	// +kubebuilder:default={}
	Providers Providers `json:"providers,omitzero"`

	// poll is the evening poll of providers' slots.
	// +optional
	// +kubebuilder:default={}
	Poll Poll `json:"poll,omitzero"`

	// outbox says where events of bookings are sent, through the message gateway.
	// +optional
	// +kubebuilder:default={}
	Outbox Outbox `json:"outbox,omitzero"`

	// sessions bounds the sessions of people who use the pages.
	// +optional
	// +kubebuilder:default={}
	Sessions Sessions `json:"sessions,omitzero"`
}

// Capacity bounds what callers can ask of each replica.
type Capacity struct {
	// apiRequestsPerSecond is what one application may ask of the API; past it
	// the answer is 429 with Retry-After. 1 to 1000. Default: 10, as published
	// for e-RS.
	// +optional
	// +kubebuilder:default=10
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	APIRequestsPerSecond int32 `json:"apiRequestsPerSecond,omitempty"`

	// apiBurst is how many requests one application may make at once after
	// being quiet. 1 to 2000. Default: 20.
	// +optional
	// +kubebuilder:default=20
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=2000
	APIBurst int32 `json:"apiBurst,omitempty"`

	// maxBodyBytes is the largest request body; past it the answer is 413.
	// 1024 to 5000000. Default: 1000000.
	// +optional
	// +kubebuilder:default=1000000
	// +kubebuilder:validation:Minimum=1024
	// +kubebuilder:validation:Maximum=5000000
	MaxBodyBytes int32 `json:"maxBodyBytes,omitempty"`

	// inFlight is how many requests a replica works on at once; past it the
	// answer is 503 with Retry-After. 8 to 4096. Default: 256.
	// +optional
	// +kubebuilder:default=256
	// +kubebuilder:validation:Minimum=8
	// +kubebuilder:validation:Maximum=4096
	InFlight int32 `json:"inFlight,omitempty"`

	// databaseConnections is the most that a replica opens. 2 to 64.
	// Default: 12.
	// +optional
	// +kubebuilder:default=12
	// +kubebuilder:validation:Minimum=2
	// +kubebuilder:validation:Maximum=64
	DatabaseConnections int32 `json:"databaseConnections,omitempty"`
}

// Providers says how providers' own systems are asked for a booking.
type Providers struct {
	// answerSeconds is how long a provider's system has to answer a booking;
	// past it the referral is deferred to the provider and becomes an
	// appointment-slot issue. 1 to 120. Default: 120.
	// +optional
	// +kubebuilder:default=120
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=120
	AnswerSeconds int32 `json:"answerSeconds,omitempty"`

	// concurrency is how many bookings a replica has open with one provider at
	// once, so that a slow one holds up nobody else. 1 to 256. Default: 16.
	// +optional
	// +kubebuilder:default=16
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=256
	Concurrency int32 `json:"concurrency,omitempty"`
}

// PollMode says whether providers are polled.
// +kubebuilder:validation:Enum=Evening;Off
type PollMode string

const (
	// PollEvening polls every provider once an evening.
	PollEvening PollMode = "Evening"
	// PollOff polls nobody: slots change only by bookings.
	PollOff PollMode = "Off"
)

// Poll is the evening poll of providers' slots.
type Poll struct {
	// mode is Evening, or Off to poll nobody. Default: Evening.
	// +optional
	// +kubebuilder:default=Evening
	Mode PollMode `json:"mode,omitempty"`

	// start is when the poll begins, as HH:MM in timeZone. Default: 18:00.
	// +optional
	// +kubebuilder:default="18:00"
	// +kubebuilder:validation:MaxLength=5
	// +kubebuilder:validation:Pattern=`^([01][0-9]|2[0-3]):[0-5][0-9]$`
	Start string `json:"start,omitempty"`

	// windowMinutes is how long the poll may last; what was not reached is
	// reported and waits for the next evening. 10 to 720. Default: 360.
	// +optional
	// +kubebuilder:default=360
	// +kubebuilder:validation:Minimum=10
	// +kubebuilder:validation:Maximum=720
	WindowMinutes int32 `json:"windowMinutes,omitempty"`

	// servicesLimit is the most services that one poll asks. 1 to 100000.
	// Default: 50000.
	// +optional
	// +kubebuilder:default=50000
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	ServicesLimit int32 `json:"servicesLimit,omitempty"`

	// concurrency is how many requests are open at once. 1 to 256. Default: 32.
	// +optional
	// +kubebuilder:default=32
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=256
	Concurrency int32 `json:"concurrency,omitempty"`

	// providerConcurrency is how many of them go to one provider. 1 to 32.
	// Default: 2.
	// +optional
	// +kubebuilder:default=2
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=32
	ProviderConcurrency int32 `json:"providerConcurrency,omitempty"`

	// requestsPerSecond paces the poll so that it never disturbs people.
	// 1 to 500. Default: 50, which reaches 30000 services in 10 minutes.
	// +optional
	// +kubebuilder:default=50
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=500
	RequestsPerSecond int32 `json:"requestsPerSecond,omitempty"`

	// requestSeconds is how long one answer may take. 1 to 120. Default: 20.
	// +optional
	// +kubebuilder:default=20
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=120
	RequestSeconds int32 `json:"requestSeconds,omitempty"`

	// daysAhead is how far ahead slots are asked for. 1 to 365. Default: 180.
	// +optional
	// +kubebuilder:default=180
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=365
	DaysAhead int32 `json:"daysAhead,omitempty"`
}

// Outbox says where events of bookings are sent, through the message gateway.
type Outbox struct {
	// from is this service's mailbox at the gateway, and the common name of the
	// client certificate that it shows there. 1 to 32 capital letters and
	// digits. Default: ERS.
	// +optional
	// +kubebuilder:default="ERS"
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^[A-Z0-9]+$`
	From string `json:"from,omitempty"`

	// to is the mailbox that receives the events. 1 to 32 capital letters and
	// digits. Default: ERSEVENTS.
	// +optional
	// +kubebuilder:default="ERSEVENTS"
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^[A-Z0-9]+$`
	To string `json:"to,omitempty"`

	// workflow is the interaction under which the gateway routes the events.
	// Default: ERS_BOOKING_EVENT.
	// +optional
	// +kubebuilder:default="ERS_BOOKING_EVENT"
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_]+$`
	Workflow string `json:"workflow,omitempty"`

	// batch is how many events one request carries. 1 to 500. Default: 100.
	// +optional
	// +kubebuilder:default=100
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=500
	Batch int32 `json:"batch,omitempty"`

	// maxRetrySeconds is the longest wait between two attempts; the first is 1 s
	// and each is twice the last. 1 to 600. Default: 30.
	// +optional
	// +kubebuilder:default=30
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=600
	MaxRetrySeconds int32 `json:"maxRetrySeconds,omitempty"`
}

// Sessions bounds the sessions of people who use the pages.
type Sessions struct {
	// idleMinutes ends a session that nobody used for so long. 5 to 60.
	// Default: 20.
	// +optional
	// +kubebuilder:default=20
	// +kubebuilder:validation:Minimum=5
	// +kubebuilder:validation:Maximum=60
	IdleMinutes int32 `json:"idleMinutes,omitempty"`

	// maxMinutes ends every session. At least idleMinutes; 5 to 720. Default: 240.
	// +optional
	// +kubebuilder:default=240
	// +kubebuilder:validation:Minimum=5
	// +kubebuilder:validation:Maximum=720
	MaxMinutes int32 `json:"maxMinutes,omitempty"`

	// signInAttempts is how often a wrong access code may be given for one
	// referral, or from one address, within lockMinutes. 3 to 50. Default: 5.
	// +optional
	// +kubebuilder:default=5
	// +kubebuilder:validation:Minimum=3
	// +kubebuilder:validation:Maximum=50
	SignInAttempts int32 `json:"signInAttempts,omitempty"`

	// lockMinutes is how long signing in is refused after too many wrong
	// codes. 1 to 60. Default: 15.
	// +optional
	// +kubebuilder:default=15
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=60
	LockMinutes int32 `json:"lockMinutes,omitempty"`
}
