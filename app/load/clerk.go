package load

import (
	"context"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Clerk is somebody who is signed in at the desk.
type Clerk struct {
	desk   string
	client *http.Client
}

// SignIn makes a clerk known to the centre, with a password in a file below dir,
// and signs them in.
func (c *Centre) SignIn(ctx context.Context, dir string) (*Clerk, error) {
	const id, password = "load3", "a clerk under load"
	file := filepath.Join(dir, "password")
	if err := os.WriteFile(file, []byte(password), 0o600); err != nil {
		return nil, fmt.Errorf("sign in at the desk: %w", err)
	}
	if _, err := c.Admin(ctx, "staff", "add", id, "李娜", "--role", "clerk", "--password-file", file); err != nil {
		return nil, err
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, fmt.Errorf("sign in at the desk: %w", err)
	}
	k := &Clerk{desk: c.URL, client: &http.Client{Jar: jar}}
	form := strings.NewReader(url.Values{"id": {id}, "password": {password}}.Encode())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+"/desk/sign-in", form)
	if err != nil {
		return nil, fmt.Errorf("sign in at the desk: %w", err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if _, err := fetch(k.client, request); err != nil {
		return nil, fmt.Errorf("sign in at the desk: %w", err)
	}
	return k, nil
}

// Look asks for a page of the desk and returns it, and how long it took until
// all of it was there.
func (k *Clerk) Look(ctx context.Context, address string) (string, time.Duration, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, k.desk+address, nil)
	if err != nil {
		return "", 0, fmt.Errorf("look at %s: %w", address, err)
	}
	begun := time.Now()
	text, err := fetch(k.client, request)
	return text, time.Since(begun), err
}
