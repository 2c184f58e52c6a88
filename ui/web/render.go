package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed templates/*.html
var templateFiles embed.FS

// templates are the pages by the name of their file; each page has its own
// "main" within the same frame.
type templates map[string]*template.Template

func parseTemplates(files assetFiles) (templates, error) {
	names, err := fs.Glob(templateFiles, "templates/page_*.html")
	if err != nil {
		return nil, fmt.Errorf("list templates: %w", err)
	}
	parsed := templates{}
	for _, name := range names {
		page, err := template.New("frame.html").
			Funcs(template.FuncMap{"asset": files.address}).
			Option("missingkey=error").
			ParseFS(templateFiles, "templates/frame.html", "templates/part_*.html", name)
		if err != nil {
			return nil, fmt.Errorf("parse page %s: %w", name, err)
		}
		key := strings.TrimSuffix(strings.TrimPrefix(path.Base(name), "page_"), ".html")
		parsed[key] = page
	}
	return parsed, nil
}

// frame is what surrounds every page.
type frame struct {
	speech
	Title     string
	Page      string // name of the page, for styles and tests
	Self      string // the page's address without its query
	Events    string // where its changes are told; empty: it never changes
	State     string // fingerprint of what it shows
	Languages []languageLink
	Staff     *session // who is signed in
	Scripts   []string // that only this page needs
}

type languageLink struct {
	Code, Name string
	Href       string
	Current    bool
}

// render writes page whole or not at all. A request for the fragment gets the
// page's changing parts alone.
func (p *Pages) render(w http.ResponseWriter, r *http.Request, status int, name string, page any) {
	block := "frame.html"
	if r.URL.Query().Has("fragment") {
		block = "live"
	}
	var buffer bytes.Buffer
	if err := p.templates[name].ExecuteTemplate(&buffer, block, page); err != nil {
		p.Log.ErrorContext(r.Context(), "page not rendered", "page", name, "error", err)
		http.Error(w, "500", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(buffer.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(buffer.Bytes()) // the reader has left if this fails
}

// sorryPage says one sentence and one thing to do.
type sorryPage struct {
	frame
	Sentence   string
	Next       string // address; empty: nothing to do here
	NextAction string
}

func (p *Pages) sorry(w http.ResponseWriter, r *http.Request, status int, key string) {
	s := p.speechFor(r, "", "")
	page := sorryPage{frame: p.frame(r, s, "sorry", s.T("web.sorry.title")), Sentence: s.T(key)}
	if strings.HasPrefix(r.URL.Path, "/desk") {
		page.Next, page.NextAction = "/desk", s.T("web.desk.back")
	}
	p.render(w, r, status, "sorry", page)
}

func (p *Pages) frame(r *http.Request, s speech, name, title string) frame {
	f := frame{speech: s, Title: title, Page: name, Self: r.URL.EscapedPath()}
	for _, code := range []string{"en", "zh"} {
		query := r.URL.Query()
		query.Del("fragment")
		query.Del("t")
		query.Set("lang", code)
		f.Languages = append(f.Languages, languageLink{
			Code: code, Name: s.T("language." + code), Href: "?" + query.Encode(), Current: code == s.Language(),
		})
	}
	return f
}

// assetFiles are styles, scripts and the icon under addresses that hold a hash
// of their content, so that they may be kept for ever.
type assetFiles struct {
	byName    map[string]string // name → address
	byAddress map[string]assetFile
}

type assetFile struct {
	mediaType    string
	data, zipped []byte
}

var mediaTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
}

func readAssets(from fs.FS) (assetFiles, error) {
	files := assetFiles{byName: map[string]string{}, byAddress: map[string]assetFile{}}
	entries, err := fs.ReadDir(from, ".")
	if err != nil {
		return files, fmt.Errorf("read styles and scripts: %w", err)
	}
	for _, entry := range entries {
		data, err := fs.ReadFile(from, entry.Name())
		if err != nil {
			return files, fmt.Errorf("read %s: %w", entry.Name(), err)
		}
		files.add(entry.Name(), data)
	}
	return files, nil
}

func (a assetFiles) add(name string, data []byte) {
	sum := sha256.Sum256(data)
	extension := path.Ext(name)
	address := "/assets/" + strings.TrimSuffix(name, extension) + "." + hex.EncodeToString(sum[:8]) + extension
	a.byName[name] = address
	a.byAddress[address] = assetFile{mediaType: mediaTypes[extension], data: data, zipped: zipped(data)}
}

func zipped(data []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(data) // a buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

func (a assetFiles) address(name string) (string, error) {
	address, ok := a.byName[name]
	if !ok {
		return "", fmt.Errorf("no asset %q", name)
	}
	return address, nil
}

// ServeHTTP implements http.Handler.
func (a assetFiles) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	file, ok := a.byAddress[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", file.mediaType)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	data := file.data
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		data = file.zipped
	}
	h.Set("Content-Length", strconv.Itoa(len(data)))
	_, _ = w.Write(data)
}
