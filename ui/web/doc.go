// Package web serves the centre's pages: the order page, on which a customer
// sees what is wrong with an item and decides, and the desk, on which clerks
// and leads move cases along.
//
// It promises that every page works without scripts, that nothing is shown to
// somebody who has no right to it, and that buttons are exactly what
// [refund.Case.Next] allows. Pages are typed structs rendered by templates that
// are parsed at start; what somebody reads comes from the words of their
// language; scripts only keep open pages up to date.
//
// A form of the desk that is not taken comes back with all that was typed, files
// and passwords excepted, and the reason beside the field. A customer's address that
// the desk corrects holds until the shop sends another than before.
//
// What a finding redacts is shown to nobody, clerks included: of such a photo
// only what was made without the hidden parts leaves the centre, in every size
// and region. Photos are also served through the IIIF Image API (package iiif),
// behind the same doors as the pages; package darkroom makes what that needs, for
// as long as [Pages.Run] runs.
//
// An order is reached by a link with a secret. The first use puts the secret
// into a cookie of that order's pages and leaves it out of the address. Staff
// sign in and carry a signed session. Streams of changes last until the
// request's context ends, so a server ends them with its base context.
package web
