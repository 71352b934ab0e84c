// SPDX-License-Identifier: Apache-2.0

package bmc

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
)

// ResetType is a value of the ResetType parameter of ComputerSystem.Reset.
type ResetType string

const (
	// On boots the machine.
	On ResetType = "On"
	// ForceOff cuts the power: the machine is dead when the answer comes.
	ForceOff ResetType = "ForceOff"
	// GracefulShutdown asks the operating system to shut down.
	GracefulShutdown ResetType = "GracefulShutdown"
	// GracefulRestart asks the operating system to reboot.
	GracefulRestart ResetType = "GracefulRestart"
	// ForceRestart cuts the power and boots.
	ForceRestart ResetType = "ForceRestart"
	// PowerCycle is ForceRestart on a machine without a reset line of its own.
	PowerCycle ResetType = "PowerCycle"
	// PushPowerButton boots a machine that is off and asks one that is on to shut down.
	PushPowerButton ResetType = "PushPowerButton"
)

// ResetTypes are all that the controller can do.
var ResetTypes = []ResetType{On, ForceOff, GracefulShutdown, GracefulRestart, ForceRestart, PowerCycle, PushPowerButton}

// ErrState is what Power.Reset returns for a reset that the power state does not allow.
var ErrState = errors.New("not in this power state")

const resetTarget = root + "/Systems/1/Actions/ComputerSystem.Reset"

func (s *Server) reset(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		fail(w, http.StatusMethodNotAllowed, operationNotAllowed(r.Method))
		return
	}
	kind, m, ok := decodeReset(r)
	if !ok {
		fail(w, http.StatusBadRequest, m)
		return
	}
	before := s.power.State()
	s.log.Info("reset", "type", kind, "state", before, "from", r.RemoteAddr)
	switch err := s.power.Reset(r.Context(), kind); {
	case errors.Is(err, ErrState):
		fail(w, http.StatusConflict, stateConflict(kind, s.power.State()))
	case err != nil:
		s.log.Error("reset failed", "type", kind, "error", err)
		fail(w, http.StatusInternalServerError, internalError(err))
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

func decodeReset(r *http.Request) (ResetType, message, bool) {
	const action, parameter = "ComputerSystem.Reset", "ResetType"
	var body map[string]any
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return "", malformedJSON(err), false
	}
	for name := range body {
		if name != parameter {
			return "", parameterUnknown(action, name), false
		}
	}
	value, ok := body[parameter]
	if !ok {
		return "", parameterMissing(action, parameter), false
	}
	text, ok := value.(string)
	if kind := ResetType(text); ok && slices.Contains(ResetTypes, kind) {
		return kind, message{}, true
	}
	return "", parameterNotInList(fmt.Sprint(value), parameter, action), false
}
