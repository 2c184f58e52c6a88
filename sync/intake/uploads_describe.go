package intake

import (
	"net/http"

	"flawmark/sync/openapi"
	"flawmark/sync/wire"

	"github.com/danielgtaylor/huma/v2"
)

// describeUploads describes the upload protocol, tus 1.0.
func (s *service) describeUploads(api huma.API) {
	version := openapi.Param("header", "Tus-Resumable", "The version of tus", true, &huma.Schema{Type: huma.TypeString, Enum: []any{wire.TusVersion}}, wire.TusVersion)
	spoken := map[string]*huma.Param{"Tus-Resumable": openapi.Header("The version of tus", openapi.Text(""))}
	stands := map[string]*huma.Param{
		"Upload-Offset":  openapi.Header("How many bytes the centre has on its disk", openapi.Number(0, wire.MaxPhoto)),
		"Upload-Expires": openapi.Header("When what is unfinished is given up (HTTP date)", openapi.Text("")),
	}
	with := func(more ...map[string]*huma.Param) map[string]*huma.Param {
		all := map[string]*huma.Param{}
		for _, headers := range append(more, spoken) {
			for name, header := range headers {
				all[name] = header
			}
		}
		return all
	}
	wrong := func(statuses ...int) []openapi.Refusal {
		list := append(admission(), openapi.Refusal{URI: wire.Malformed, Status: http.StatusPreconditionFailed})
		for _, status := range statuses {
			list = append(list, openapi.Refusal{URI: wire.Malformed, Status: status})
		}
		return list
	}
	chunk := &huma.RequestBody{
		Description: "The bytes at the offset. A chunk with a checksum has at most 8 MiB.",
		Content:     map[string]*huma.MediaType{wire.ChunkType: {Schema: openapi.Text("binary")}},
	}
	checksum := openapi.Param("header", "Upload-Checksum", "sha256, a blank, and the chunk's SHA-256 in base64: nothing of a damaged chunk stays", false, openapi.Text(""), nil)
	full := openapi.Problems(wire.TooLarge, wire.ChecksumMismatch, wire.DigestMismatch, wire.StorageFull, wire.Interrupted)

	openapi.Raw(api, forStations(huma.Operation{
		OperationID: "create-upload", Method: http.MethodPost, Path: "/v1/uploads", Summary: "Begin an upload (tus creation)",
		Description: "The same station's unfinished upload of the same file is answered with its Location. A first chunk may come with it.",
		Parameters: []*huma.Param{
			version,
			openapi.Param("header", "Upload-Length", "The file's size in bytes", true, openapi.Number(1, wire.MaxPhoto), 3145728),
			openapi.Param("header", "Upload-Metadata", "Pairs of a name and a base64 value: sha256, the file's digest in hexadecimal (needed); filetype, its media type",
				true, openapi.Text(""), "sha256 OWY4NmQwODE4ODRjN2Q2NTlhMmZlYWEwYzU1YWQwMTVhM2JmNGYxYjJiMGI4MjJjZDE1ZDZjMTViMGYwMGEwOA==,filetype aW1hZ2UvanBlZw=="),
			checksum,
		},
		RequestBody: chunk,
		Responses: map[string]*huma.Response{"201": {
			Description: "The upload, with what came with it",
			Headers:     with(stands, map[string]*huma.Param{"Location": openapi.Header("Where the upload goes on", openapi.Text("uri-reference"))}),
		}},
	}), append(wrong(http.StatusBadRequest), full...))
	openapi.Raw(api, forStations(huma.Operation{
		OperationID: "head-upload", Method: http.MethodHead, Path: "/v1/uploads/{id}", Summary: "Say how far an upload is",
		Description: "A request that still writes to it is interrupted first.", Parameters: []*huma.Param{version},
		Responses: map[string]*huma.Response{"200": {
			Description: "How far it is",
			Headers:     with(stands, map[string]*huma.Param{"Upload-Length": openapi.Header("The file's size in bytes", openapi.Number(1, wire.MaxPhoto))}),
		}},
	}), append(wrong(), openapi.Problems(wire.NotFound, wire.DigestMismatch, wire.StorageFull)...))
	openapi.Raw(api, forStations(huma.Operation{
		OperationID: "patch-upload", Method: http.MethodPatch, Path: "/v1/uploads/{id}", Summary: "Append to an upload",
		Description: "Bytes are acknowledged once they are on the disk. With the last one the file is checked against its digest and published.",
		Parameters: []*huma.Param{
			version, checksum,
			openapi.Param("header", "Upload-Offset", "Where the bytes belong: where the centre stands", true, openapi.Number(0, wire.MaxPhoto), 0),
		},
		RequestBody: chunk,
		Responses:   map[string]*huma.Response{"204": {Description: "The bytes are kept", Headers: with(stands)}},
	}), append(append(wrong(http.StatusBadRequest, http.StatusUnsupportedMediaType), full...), openapi.Problems(wire.NotFound, wire.OffsetConflict)...))
	openapi.Raw(api, forStations(huma.Operation{
		OperationID: "delete-upload", Method: http.MethodDelete, Path: "/v1/uploads/{id}", Summary: "Give an upload up",
		Description: "What was kept of it is thrown away.", Parameters: []*huma.Param{version},
		Responses: map[string]*huma.Response{"204": {Description: "It is gone", Headers: with()}},
	}), append(wrong(), openapi.Problems(wire.NotFound)...))
	for path, id := range map[string]string{"/v1/uploads": "options-uploads", "/v1/uploads/{id}": "options-upload"} {
		openapi.Raw(api, forAnybody(huma.Operation{
			OperationID: id, Method: http.MethodOptions, Path: path, Summary: "Say what of tus is spoken",
			Description: "Extensions, the greatest size, the checksums.",
			Responses: map[string]*huma.Response{"204": {Description: "What is spoken", Headers: with(map[string]*huma.Param{
				"Tus-Version":            openapi.Header("Versions of tus", openapi.Text("")),
				"Tus-Extension":          openapi.Header("Extensions of tus", openapi.Text("")),
				"Tus-Max-Size":           openapi.Header("The greatest file in bytes", openapi.Number(1, wire.MaxPhoto)),
				"Tus-Checksum-Algorithm": openapi.Header("Checksums of chunks", openapi.Text("")),
			})}},
		}), nil)
	}
}
