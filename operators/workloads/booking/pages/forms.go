// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"context"
	"errors"
	"strconv"

	"spine.nhs.uk/controlplane/operators/workloads/booking/domain"
)

// number reads a positive number from the address or a form; what is none names nothing that exists.
func number(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return 0, domain.ErrNotFound
	}
	return n, nil
}

// changedElsewhereError: the form was made for another referral than the one that is open now.
type changedElsewhereError struct{}

func (changedElsewhereError) Error() string {
	return "another referral was opened in this browser since the form was shown"
}

// posted is what every form that changes a referral carries.
type posted struct {
	key     string
	ubrn    domain.UBRN
	version int
}

// formOf reads them, and refuses a form that was made for another referral than the open one.
func (v *visit) formOf() (posted, error) {
	form := v.r.PostForm
	if domain.UBRN(form.Get("ubrn")) != v.session.UBRN {
		return posted{}, changedElsewhereError{}
	}
	version, err := strconv.Atoi(form.Get("version"))
	if err != nil || version < 0 {
		return posted{}, errForm
	}
	return posted{key: form.Get("key"), ubrn: v.session.UBRN, version: version}, nil
}

// shortlisted are the services of a referral's shortlist; one that was closed since is left out.
func (v *visit) shortlisted(ctx context.Context, ids []int64) ([]domain.Service, error) {
	services := make([]domain.Service, 0, len(ids))
	for _, id := range ids {
		service, err := v.h.desk.Service(ctx, id)
		if errors.Is(err, domain.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		services = append(services, service)
	}
	return services, nil
}
