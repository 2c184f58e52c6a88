// Package door lets a command reach the program that already has the data
// folder open.
//
// A database belongs to one process. While the station's window or the centre
// runs, `flawmark queue` or `flawmark-central orders import` would find it
// taken; instead they knock: the running program opens a door on the loopback
// interface and leaves its address and a secret in the data folder, readable
// by the folder's owner only. Whoever can read the folder may have a command
// run there, and nobody else.
package door

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"flawmark/app/durable"
)

// fileName is the file in the data folder that says where the door is.
const fileName = "door.json"

// maxCall bounds what a caller may say.
const maxCall = 1 << 20

// Call is a command for the running program.
type Call struct {
	Args  []string `json:"args"`            // as typed, without the program's name
	Dir   string   `json:"dir"`             // the caller's working folder, for relative paths
	Input []byte   `json:"input,omitempty"` // of standard input, where the command wants any
}

// Handler runs a call and returns its exit code. It must end when ctx does.
type Handler func(ctx context.Context, call Call, out, errOut io.Writer) int

type address struct {
	Addr  string `json:"addr"`
	Token string `json:"token"`
}

// Door is an open door.
type Door struct {
	listener net.Listener
	token    string
	path     string
}

// Open opens the door of the data folder dir, which the caller must own (hold
// the database open). A file left by a program that was killed is replaced.
func Open(dir string) (*Door, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open door: %w", err)
	}
	d := &Door{listener: listener, token: rand.Text(), path: filepath.Join(dir, fileName)}
	data, err := json.Marshal(address{Addr: listener.Addr().String(), Token: d.token})
	if err == nil {
		err = durable.WriteFile(d.path, data)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open door: %w", err), listener.Close())
	}
	return d, nil
}

// Run answers callers until ctx ends, then closes the door.
func (d *Door) Run(ctx context.Context, handle Handler) error {
	server := &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { d.answer(w, r, handle) }),
		ReadHeaderTimeout: 5 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	err := server.Serve(d.listener)
	removeErr := os.Remove(d.path)
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	if errors.Is(removeErr, fs.ErrNotExist) {
		removeErr = nil
	}
	return errors.Join(err, removeErr)
}

func (d *Door) answer(w http.ResponseWriter, r *http.Request, handle Handler) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if subtle.ConstantTimeCompare([]byte(token), []byte(d.token)) != 1 {
		http.Error(w, "forbidden", http.StatusForbidden)
		return
	}
	var call Call
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxCall)).Decode(&call); err != nil {
		http.Error(w, "not a call", http.StatusBadRequest)
		return
	}
	reply := &lines{encoder: json.NewEncoder(w), flusher: http.NewResponseController(w)}
	exit := handle(r.Context(), call, stream{reply, false}, stream{reply, true})
	_ = reply.write(line{Exit: &exit}) // the caller may have gone
}

// line is one piece of the answer.
type line struct {
	Out  string `json:"out,omitempty"`
	Err  string `json:"err,omitempty"`
	Exit *int   `json:"exit,omitempty"`
}

type lines struct {
	mu      sync.Mutex
	encoder *json.Encoder
	flusher *http.ResponseController
}

func (l *lines) write(piece line) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.encoder.Encode(piece); err != nil {
		return err
	}
	return l.flusher.Flush()
}

type stream struct {
	lines   *lines
	isError bool
}

func (s stream) Write(p []byte) (int, error) {
	piece := line{Out: string(p)}
	if s.isError {
		piece = line{Err: string(p)}
	}
	return len(p), s.lines.write(piece)
}

// ErrNobody reports that no running program holds the folder's door open.
var ErrNobody = errors.New("no program is running on this folder")

// Knock has the program that runs on dir carry out call, copies what it says,
// and returns its exit code. It fails with [ErrNobody] when none runs.
func Knock(ctx context.Context, dir string, call Call, out, errOut io.Writer) (int, error) {
	where, err := readAddress(dir)
	if err != nil {
		return 0, err
	}
	body, err := json.Marshal(call)
	if err != nil {
		return 0, fmt.Errorf("knock: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+where.Addr, strings.NewReader(string(body)))
	if err != nil {
		return 0, fmt.Errorf("knock: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+where.Token)
	client := &http.Client{Transport: &http.Transport{Proxy: nil, DisableKeepAlives: true}}
	response, err := client.Do(request)
	if opError, ok := errors.AsType[*net.OpError](err); ok && opError.Op == "dial" {
		return 0, ErrNobody // left behind by a program that was killed
	}
	if err != nil {
		return 0, fmt.Errorf("knock: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return 0, ErrNobody // somebody else's port by now
	}
	return copyAnswer(response.Body, out, errOut)
}

func readAddress(dir string) (address, error) {
	data, err := os.ReadFile(filepath.Join(dir, fileName))
	if errors.Is(err, fs.ErrNotExist) {
		return address{}, ErrNobody
	}
	if err != nil {
		return address{}, fmt.Errorf("knock: %w", err)
	}
	var where address
	if err := json.Unmarshal(data, &where); err != nil {
		return address{}, ErrNobody
	}
	host, _, err := net.SplitHostPort(where.Addr)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return address{}, ErrNobody
	}
	return where, nil
}

func copyAnswer(body io.Reader, out, errOut io.Writer) (int, error) {
	scanner := bufio.NewScanner(body)
	scanner.Buffer(nil, 16<<20)
	for scanner.Scan() {
		var piece line
		if err := json.Unmarshal(scanner.Bytes(), &piece); err != nil {
			return 0, fmt.Errorf("knock: %w", err)
		}
		if piece.Exit != nil {
			return *piece.Exit, nil
		}
		if _, err := io.WriteString(out, piece.Out); err != nil {
			return 0, err
		}
		if _, err := io.WriteString(errOut, piece.Err); err != nil {
			return 0, err
		}
	}
	return 0, errors.Join(errors.New("knock: the program ended before it answered"), scanner.Err())
}
