// SPDX-License-Identifier: Apache-2.0

package cloud

import (
	"fmt"
	"io/fs"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"spine.nhs.uk/controlplane/environments"
	"spine.nhs.uk/controlplane/infra/component"
	"spine.nhs.uk/controlplane/infra/platform"
	"spine.nhs.uk/controlplane/infra/platform/services"
	shared "spine.nhs.uk/controlplane/stacks/platform"
)

// installed is what goes into the cluster, with what it refers to read in; messaging is nil
// where the platform is omitted, booking besides where there is none.
type installed struct {
	messaging *services.Messaging
	booking   *services.Booking
	images    component.Images
	// authorities is PEM text of those of the database's certificates.
	authorities string
}

// repository is the folder of all our images in a registry.
const repository = "spine"

// readServices reads what the services refer to. All problems are in the errors.
func (p *plan) readServices(project fs.FS, mailboxes string) field.ErrorList {
	if p.env.Platform == environments.PlatformOmitted {
		return nil
	}
	read, env := shared.In(project), p.env
	authorities, errs := pemFile(project, field.NewPath("database", "authoritiesFile"), env.Database.AuthoritiesFile)
	messaging, problems := shared.Messaging(env.Messaging.CatalogueFile, env.Messaging.Gateway, mailboxes, read)
	errs = append(errs, problems...)
	made := installed{messaging: messaging, authorities: authorities}
	if p.env.Service == environments.ServiceERS {
		b := env.Booking
		made.booking, problems = shared.Booking(b.Service, environments.Tokens(b.Tokens), (*environments.Providers)(b.Providers), []string{p.domain(referrals)}, read)
		errs = append(errs, problems...)
	}
	made.images, problems = p.readRelease(read)
	if errs = append(errs, problems...); len(errs) == 0 {
		p.installed = made
	}
	return errs
}

// readRelease reads the images of the release, which has all of those that the platform
// takes.
func (p *plan) readRelease(read shared.Reader) (component.Images, field.ErrorList) {
	at, file := field.NewPath("images", "releaseFile"), p.env.Images.ReleaseFile
	text, err := read(file)
	if err != nil {
		return nil, field.ErrorList{shared.Unreadable(at, file, err)}
	}
	list, errs := environments.ParseRelease([]byte(text), field.NewPath("release"))
	images := component.Images{}
	for _, r := range list {
		images[r.Name+":"+r.Tag] = fmt.Sprintf("%s/%s/%s:%s@%s", p.env.Images.Registry, repository, r.Name, r.Tag, r.Digest)
	}
	if len(errs) > 0 {
		return nil, errs
	}
	for _, image := range platform.Images() {
		name, _, _ := strings.Cut(image, ":")
		if _, err := images.Ref(name); err != nil {
			errs = append(errs, field.Invalid(at, file, err.Error()))
		}
	}
	return images, errs
}

// domain is the full name of a way in.
func (p *plan) domain(name string) string { return name + "." + p.env.Edge.Domain }

// pemFile is the text of a file with certificates; empty for none.
func pemFile(project fs.FS, at *field.Path, file string) (string, field.ErrorList) {
	if file == "" {
		return "", nil
	}
	text, err := fs.ReadFile(project, file)
	if err != nil {
		return "", field.ErrorList{shared.Unreadable(at, file, err)}
	}
	if !strings.Contains(string(text), "-----BEGIN CERTIFICATE-----") {
		return "", field.ErrorList{field.Invalid(at, file, "holds no certificate in PEM")}
	}
	return string(text), nil
}
