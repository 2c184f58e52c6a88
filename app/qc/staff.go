package qc

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"
)

// Role says what a person may do. Roles do not include each other, but a lead
// may also inspect.
type Role string

// The roles.
const (
	Inspector     Role = "inspector"
	Lead          Role = "lead"
	Clerk         Role = "clerk"
	Approver      Role = "approver" // the second person, for what costs the house money
	Auditor       Role = "auditor"  // sees everything at the desk and changes nothing
	Administrator Role = "admin"
)

// Roles lists all roles.
func Roles() []Role { return []Role{Inspector, Lead, Clerk, Approver, Auditor, Administrator} }

// Staff is a person who works here, as stations know them: with verifiers, so
// that signing in works offline, and without anything that could be typed in.
type Staff struct {
	ID     StaffID `json:"id"`
	Name   string  `json:"name"`
	Latin  string  `json:"name_latin,omitempty"`
	Role   Role    `json:"role"`
	More   []Role  `json:"more_roles,omitempty"` // besides Role
	Badge  string  `json:"badge_hash,omitempty"` // of HashBadge
	PIN    string  `json:"pin_hash,omitempty"`   // of HashPIN
	Active bool    `json:"active"`
}

// MayInspect reports whether the person may record findings.
func (s Staff) MayInspect() bool { return s.Holds(Inspector, Lead) }

// MayReview reports whether the person may review the findings of others.
func (s Staff) MayReview() bool { return s.Holds(Lead) }

// Roles lists what the person may do.
func (s Staff) Roles() []Role { return append([]Role{s.Role}, s.More...) }

// Holds reports whether the person works here and has one of the roles.
func (s Staff) Holds(roles ...Role) bool {
	return s.Active && slices.ContainsFunc(s.Roles(), func(has Role) bool { return slices.Contains(roles, has) })
}

// HashBadge returns the verifier of a scanned badge.
func HashBadge(badge string) string {
	sum := sha256.Sum256([]byte("flawmark badge\x00" + strings.ToUpper(strings.TrimSpace(badge))))
	return hex.EncodeToString(sum[:])
}

// ErrPINFormat reports a PIN that is not 4 to 12 digits.
var ErrPINFormat = errors.New("a PIN has 4 to 12 digits")

// The cost of one PIN guess (OWASP's first choice for Argon2id): 19 MiB, two
// passes.
const (
	argonMemory  = 19 * 1024
	argonPasses  = 2
	argonThreads = 1
	argonLength  = 32
)

// HashPIN returns the verifier of a PIN under a random salt of 16 bytes.
func HashPIN(pin string, salt []byte) (string, error) {
	if len(pin) < 4 || len(pin) > 12 || strings.Trim(pin, "0123456789") != "" {
		return "", ErrPINFormat
	}
	return HashSecret(pin, salt), nil
}

// HashSecret returns the Argon2id verifier of a secret in the PHC string form.
func HashSecret(secret string, salt []byte) string {
	key := argon2.IDKey([]byte(secret), salt, argonPasses, argonMemory, argonThreads, argonLength)
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, argonMemory, argonPasses, argonThreads, encode(salt), encode(key))
}

// VerifySecret reports whether secret is the one behind verifier. It takes
// about 30 ms by design; call it off the window's goroutine.
func VerifySecret(secret, verifier string) bool {
	parts := strings.Split(verifier, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false
	}
	var version int
	var memory, passes uint32
	var threads uint8
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return false
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &threads); err != nil {
		return false
	}
	// A hostile verifier must not choose how much memory is spent here.
	if memory > 256*1024 || passes < 1 || passes > 16 || threads < 1 || threads > 8 {
		return false
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return false
	}
	want, err := base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil || len(want) < 16 || len(want) > 64 {
		return false
	}
	got := argon2.IDKey([]byte(secret), salt, passes, memory, threads, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1
}

// Tries is how often somebody has entered a wrong PIN in a row, and until when
// no other is taken from them.
type Tries struct {
	Count int       `json:"count"`
	Until time.Time `json:"until,omitzero"`
}
