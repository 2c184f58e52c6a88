package main

import (
	"flawmark/app/qc"
	"flawmark/ui/web"
	"flawmark/ui/web/signon"
)

// signOn is the house's identity provider; nil where none is set.
func (c *centre) signOn() web.SignOn {
	o := c.settings.OIDC
	if o.Issuer == "" {
		return nil
	}
	return signon.New(signon.Config{
		Issuer: o.Issuer, ClientID: o.ClientID, Secret: o.Secret, Claim: o.Claim,
		Redirect: web.BackAddress(c.public()), Now: c.now,
	})
}

// people are the staff ids of whom the identity provider names; nil: it names
// staff ids itself.
func (c *centre) people() map[string]qc.StaffID {
	if len(c.settings.OIDC.People) == 0 {
		return nil
	}
	all := make(map[string]qc.StaffID, len(c.settings.OIDC.People))
	for name, id := range c.settings.OIDC.People {
		all[name] = qc.StaffID(id)
	}
	return all
}
