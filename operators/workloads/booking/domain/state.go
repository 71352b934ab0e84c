// SPDX-License-Identifier: Apache-2.0

package domain

// State is a referral's state, by its published code (eRS-ReferralState-1).
type State string

const (
	NotBooked               State = "NOT_BOOKED"                 // no patient encounter is planned
	Booked                  State = "BOOKED"                     // an appointment has a date and time with a service
	DeferredToProvider      State = "DEFERRED_TO_PROVIDER"       // the provider will arrange the appointment (an ASI)
	AwaitingTriage          State = "AWAITING_TRIAGE"            // a triage service reviews it
	Rejected                State = "REJECTED"                   // a provider sent it back to the referrer
	CancelledReferral       State = "CANCELLED_REFERRAL"         // final: nothing can follow
	CancelledByPatient      State = "APPT_CANCELLED_BY_PATIENT"  // its last appointment was cancelled by or for the patient
	CancelledByProvider     State = "APPT_CANCELLED_BY_PROVIDER" // its last appointment was cancelled by the provider
	DidNotAttend            State = "DID_NOT_ATTEND"             // the patient did not come to the last appointment
	AssessmentResult        State = "ASSESSMENT_RESULT"          // a clinical assessment was drafted or submitted
	TriageResponse          State = "TRIAGE_RESPONSE"            // triage passed it back to the referrer with advice
	TriagedProviderToAction State = "TRIAGED_PROVIDER_TO_ACTION" // triage decided, and the provider goes on with it
)

// Event is something that happens to a referral.
type Event string

const (
	EventBook             Event = "book"                          // a slot was confirmed
	EventDefer            Event = "defer to provider"             // no slot, or no answer: becomes an ASI
	EventTriage           Event = "send for triage"               // sent to a triage service
	EventAccept           Event = "accept"                        // the provider reviewed a booked referral and keeps it
	EventReject           Event = "reject"                        // the provider sends it back
	EventCancelByPatient  Event = "cancel appointment"            // by the patient, or by the referrer for the patient
	EventCancelByProvider Event = "cancel appointment (provider)" // by the provider, to be acted on later
	EventCancelReferral   Event = "cancel referral"               // ends it
	EventNotAttended      Event = "did not attend"
	EventTriageReturn     Event = "return with advice"
	EventTriageKeep       Event = "accept after triage"
	EventDisplace         Event = "displace" // by a restore: its slot was given to another patient since; becomes an ASI
)

// bookable are the states from which an appointment can be arranged.
var bookable = []State{NotBooked, Rejected, CancelledByPatient, CancelledByProvider, DidNotAttend, TriageResponse}

// transitions is the whole life of a referral: event, from, to. What is not
// listed is refused.
var transitions = func() map[Event]map[State]State {
	t := map[Event]map[State]State{
		// Booked to Booked is a rebooking; an ASI ends when a slot is found.
		EventBook:             {Booked: Booked, DeferredToProvider: Booked, TriagedProviderToAction: Booked},
		EventDefer:            {TriagedProviderToAction: DeferredToProvider},
		EventTriage:           {},
		EventAccept:           {Booked: Booked},
		EventReject:           {Booked: Rejected, DeferredToProvider: Rejected},
		EventCancelByPatient:  {Booked: CancelledByPatient, DeferredToProvider: CancelledByPatient, AwaitingTriage: CancelledByPatient},
		EventCancelByProvider: {Booked: CancelledByProvider, DeferredToProvider: CancelledByProvider},
		EventNotAttended:      {Booked: DidNotAttend},
		EventTriageReturn:     {AwaitingTriage: TriageResponse, DeferredToProvider: TriageResponse},
		EventTriageKeep:       {AwaitingTriage: TriagedProviderToAction, DeferredToProvider: TriagedProviderToAction},
		EventCancelReferral:   {},
		EventDisplace:         {Booked: DeferredToProvider},
	}
	for _, from := range bookable {
		t[EventBook][from] = Booked
		t[EventDefer][from] = DeferredToProvider
		t[EventTriage][from] = AwaitingTriage
	}
	for _, from := range States() {
		if from != CancelledReferral {
			t[EventCancelReferral][from] = CancelledReferral
		}
	}
	return t
}()

// Next is the state after event, or a *StateError.
func (s State) Next(event Event) (State, error) {
	next, ok := transitions[event][s]
	if !ok {
		return s, &StateError{State: s, Event: event}
	}
	return next, nil
}

// States lists every state, in the order of the constants.
func States() []State {
	return []State{NotBooked, Booked, DeferredToProvider, AwaitingTriage, Rejected, CancelledReferral, CancelledByPatient,
		CancelledByProvider, DidNotAttend, AssessmentResult, TriageResponse, TriagedProviderToAction}
}

// Display is the published display text of a state.
func (s State) Display() string { return stateDisplay[s] }

var stateDisplay = map[State]string{
	NotBooked: "Not Booked", Booked: "Booked", DeferredToProvider: "Deferred To Provider", AwaitingTriage: "Awaiting Triage",
	Rejected: "Rejected", CancelledReferral: "Cancelled Referral", CancelledByPatient: "Appointment Cancelled By Patient",
	CancelledByProvider: "Appointment Cancelled By Provider", DidNotAttend: "Did Not Attend", AssessmentResult: "Assessment Result",
	TriageResponse: "Triage Response", TriagedProviderToAction: "Triaged - Provider To Action",
}
