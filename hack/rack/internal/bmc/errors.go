// SPDX-License-Identifier: Apache-2.0

package bmc

import (
	"fmt"
	"net/http"
)

// registryVersion is the message registry whose ids the errors use (DSP8011 Base).
const registryVersion = "Base.1.18."

// message is one entry of a Redfish error's extended information.
type message struct {
	ID         string
	Text       string
	Args       []string
	Severity   string
	Resolution string
}

// fail answers with a Redfish error body (DSP0266, "Error responses").
func fail(w http.ResponseWriter, status int, m message) {
	args := m.Args
	if args == nil {
		args = []string{}
	}
	respond(w, status, resource{"error": resource{
		"code":    registryVersion + m.ID,
		"message": m.Text,
		"@Message.ExtendedInfo": []resource{{
			"@odata.type":     "#Message.v1_2_1.Message",
			"MessageId":       registryVersion + m.ID,
			"Message":         m.Text,
			"MessageArgs":     args,
			"MessageSeverity": m.Severity,
			"Resolution":      m.Resolution,
		}},
	}})
}

func resourceMissing(path string) message {
	return message{"ResourceMissingAtURI", fmt.Sprintf("The resource at the URI %s was not found.", path), []string{path}, "Critical",
		"Start from /redfish/v1 and follow the links."}
}

func operationNotAllowed(method string) message {
	return message{"OperationNotAllowed", fmt.Sprintf("The HTTP method %s is not allowed on this resource.", method), nil, "Critical",
		"See the Allow header for the methods of this resource."}
}

func noValidSession() message {
	return message{"NoValidSession", "There is no valid session established with the implementation.", nil, "Critical",
		"Send the account's name and password by HTTP Basic, or create a session and send its token as X-Auth-Token."}
}

func malformedJSON(err error) message {
	return message{"MalformedJSON", fmt.Sprintf("The request body submitted was malformed JSON and could not be parsed: %v.", err), nil, "Critical",
		"Send a JSON object as the request's body."}
}

func parameterMissing(action, parameter string) message {
	return message{"ActionParameterMissing", fmt.Sprintf("The action %s requires that the parameter %s be present in the request body.", action, parameter),
		[]string{action, parameter}, "Critical", "Supply the parameter in the request body."}
}

func parameterUnknown(action, parameter string) message {
	return message{"ActionParameterUnknown", fmt.Sprintf("The action %s was submitted with the invalid parameter %s.", action, parameter),
		[]string{action, parameter}, "Warning", "Remove the parameter from the request body."}
}

func parameterNotInList(value, parameter, action string) message {
	return message{"ActionParameterValueNotInList", fmt.Sprintf("The value %s for the parameter %s in the action %s is not in the list of acceptable values.", value, parameter, action),
		[]string{value, parameter, action}, "Warning", "Choose one of the values in the resource's ResetActionInfo."}
}

func loginMissing(property string) message {
	return message{"PropertyMissing", fmt.Sprintf("The property %s is a required property and must be included in the request.", property),
		[]string{property}, "Warning", "Send UserName and Password."}
}

func stateConflict(kind ResetType, state PowerState) message {
	return message{"ActionNotSupported", fmt.Sprintf("The action ComputerSystem.Reset of type %s cannot be carried out while the power state is %s.", kind, state),
		[]string{"ComputerSystem.Reset"}, "Critical", "Bring the system into a fitting power state first, or use another reset type."}
}

func internalError(err error) message {
	return message{"InternalError", fmt.Sprintf("The request failed due to an internal service error: %v.", err), nil, "Critical",
		"See the rack daemon's log with `rack logs daemon`."}
}
