package load

import (
	"bytes"
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"math/rand/v2"
	"sync/atomic"

	"flawmark/app/qc"
)

// noise makes files that are all different and cost nothing to name: their
// beginnings are one block of noise that was hashed once, and their ends count.
type noise struct {
	body  []byte
	state []byte // of the hash behind body
	made  atomic.Uint64
}

const tail = 8

func newNoise(size int) (*noise, error) {
	if size <= tail {
		return nil, fmt.Errorf("make noise: %d bytes are too few", size)
	}
	n := &noise{body: make([]byte, size-tail)}
	random := rand.NewChaCha8([32]byte{})
	_, _ = random.Read(n.body) // never fails
	sum := sha256.New()
	sum.Write(n.body)
	state, err := sum.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("make noise: %w", err)
	}
	n.state = state
	return n, nil
}

// file returns a file that was never made before.
func (n *noise) file() (qc.Digest, []byte) {
	end := binary.BigEndian.AppendUint64(nil, n.made.Add(1))
	sum := n.behind()
	sum.Write(end)
	return qc.Digest(hex.EncodeToString(sum.Sum(nil))), append(bytes.Clone(n.body), end...)
}

func (n *noise) behind() hash.Hash {
	sum := sha256.New()
	if err := sum.(encoding.BinaryUnmarshaler).UnmarshalBinary(n.state); err != nil {
		panic(err) // it is the state of the same hash
	}
	return sum
}
