package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"flawmark/app/command"
	"flawmark/app/handout"
	"flawmark/app/qc"
	"flawmark/imaging/photo"
	"flawmark/storage/blob"
)

// packEvidence writes what a seller is sent in a case: `evidence CASE`.
func packEvidence(ctx context.Context, call *command.Call, c *centre) error {
	if len(call.Args) != 1 {
		return command.Fail("cli.args_missing", nil, "args", "CASE")
	}
	id := qc.CaseID(call.Args[0])
	dossier, err := c.store.Dossier(ctx, id)
	if errors.Is(err, qc.ErrNotFound) {
		return command.Fail("cli.case_unknown", err, "case", string(id))
	}
	if err != nil {
		return err
	}
	i := max(slices.IndexFunc(dossier.Findings, func(f qc.Finding) bool { return f.ID == dossier.Case.Finding }), 0)
	if len(dossier.Findings) == 0 {
		return command.Fail("cli.case_unknown", nil, "case", string(id))
	}
	return handout.Evidence(ctx, call, handout.Subject{
		Item: dossier.Item, Case: id, Finding: dossier.Findings[i], Decision: dossier.Case.Intent, At: c.now(),
	}, c.flaws, c.readPhoto)
}

// readPhoto reads a photo file; one that is damaged is as good as not here.
func (c *centre) readPhoto(d qc.Digest) ([]byte, error) {
	data, err := c.blobs.Read(d, photo.DefaultLimits().Bytes)
	if errors.Is(err, blob.ErrDigest) {
		return nil, fmt.Errorf("%w: %w", qc.ErrNotFound, err)
	}
	return data, err
}
