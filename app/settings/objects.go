package settings

import (
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
)

// S3Keys are what an object store knows the centre by. They are set by
// FLAWMARK_S3_ACCESS_KEY and FLAWMARK_S3_SECRET_KEY in the environment, or by the
// same with _FILE behind as files that hold them; never by a flag, which others on
// the machine see, nor in the settings file, which is copied about.
type S3Keys struct{ Access, Secret string }

// maxKeyFile bounds a file that is to hold one key.
const maxKeyFile = 4 << 10

func (k *S3Keys) fromEnvironment(env []string) error {
	for name, into := range map[string]*string{"FLAWMARK_S3_ACCESS_KEY": &k.Access, "FLAWMARK_S3_SECRET_KEY": &k.Secret} {
		if value, ok := lookup(env, name); ok && value != "" {
			*into = value
			continue
		}
		path, ok := lookup(env, name+"_FILE")
		if !ok || path == "" {
			continue
		}
		value, err := readKey(path)
		if err != nil {
			return &Invalid{Key: "cli.key_file_unusable", Setting: name + "_FILE", File: path, Cause: err}
		}
		*into = value
	}
	return nil
}

func readKey(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxKeyFile+1))
	if err != nil {
		return "", err
	}
	key := strings.TrimSpace(string(data))
	if key == "" || len(data) > maxKeyFile || strings.ContainsAny(key, "\r\n\x00") {
		return "", fmt.Errorf("not one key in %d bytes", len(data))
	}
	return key, nil
}

// wantObjects is what the address of a bucket looks like.
const wantObjects = "s3://photos?endpoint=https://store.example.com"

func (c *Centre) checkObjects() error {
	if c.Objects == "" {
		return nil
	}
	u, err := url.Parse(c.Objects)
	if err != nil || u.User != nil || u.Host == "" || u.Scheme != "s3" && u.Scheme != "https" && u.Scheme != "http" {
		return &Invalid{Key: "cli.objects_invalid", Setting: "--objects", Want: wantObjects} // it may hold a secret: not said
	}
	if c.S3.Access == "" || c.S3.Secret == "" {
		return &Invalid{Key: "cli.objects_keys", Setting: "--objects"}
	}
	return nil
}
